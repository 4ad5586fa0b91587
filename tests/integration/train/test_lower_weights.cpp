// Weights rounded once a step against autocast, which rounds them where they are used.
#include "model/lower_weights.h"

#include <new>

#include "bcx/sdk/nn.h"
#include "tests/integration/train/step_rig.h"

namespace bcx::test {
namespace {

/// TinyBackbone and a convolution of the SDK's, which tells what its weight was.
class Watched : public TinyBackbone {
 public:
  Watched() : TinyBackbone(true) {
    mixing_ = sdk::add<sdk::Conv2d>(*this, "mixing", sdk::Conv2dOptions{.in = 3, .out = 3});
  }
  sdk::Features forward(const at::Tensor& images, sdk::ModelContext& context) override {
    seen = mixing_->weight.scalar_type();
    const auto mixed = mixing_->forward(images);
    if (fails) throw std::runtime_error("in the middle of a forward pass");
    return TinyBackbone::forward(mixed, context);
  }
  at::Tensor weight() const { return mixing_->weight; }
  at::ScalarType seen = at::kFloat;
  bool fails = false;

 private:
  std::shared_ptr<sdk::Conv2d> mixing_;
};

StepSettings lower(Precision precision, bool once) {
  StepSettings settings;
  settings.precision = precision;
  settings.round_weights_once = once;
  return settings;
}

}  // namespace

TEST_CASE("weights rounded once a step train to the same bytes as autocast") {
  const std::vector<std::int64_t> batches =
      GENERATE(std::vector<std::int64_t>{8}, std::vector<std::int64_t>{5, 3});
  const auto network = std::make_shared<Watched>();
  Rig once(at::kCPU, lower(Precision::bf16, true), network);
  Rig autocast(at::kCPU, lower(Precision::bf16, false), std::make_shared<Watched>());
  once.run(5, batches);
  autocast.run(5, batches);
  check_same_bytes(once, autocast);
  CHECK(network->seen == at::kBFloat16);
  CHECK(network->weight().scalar_type() == at::kFloat);
  CHECK_NOTHROW(once.parameters->check_views("after training"));
}

TEST_CASE("in float32 there is nothing to round") {
  const auto network = std::make_shared<Watched>();
  Rig once(at::kCPU, lower(Precision::fp32, true), network);
  once.run(1, {4});
  CHECK(network->seen == at::kFloat);
}

TEST_CASE("a forward pass that fails leaves the modules their own weights") {
  const auto network = std::make_shared<Watched>();
  Rig rig(at::kCPU, lower(Precision::bf16, true), network);
  rig.run(1, {4});
  network->fails = true;
  CHECK_THROWS(rig.run(1, {4}));
  CHECK(network->weight().scalar_type() == at::kFloat);
  CHECK_NOTHROW(rig.parameters->check_views("after a failure"));
}

TEST_CASE("normalisations and biases stay as they are") {
  const auto network = std::make_shared<Watched>();
  Rig rig(at::kCPU, {}, network);
  model::LowerWeights weights(*rig.classifier, *rig.parameters);
  weights.refresh(at::kHalf);
  std::vector<std::string> rounded;
  {
    const model::LowerWeights::Scope scope(weights);
    for (const auto& item : rig.classifier->named_parameters())
      if (item.value().scalar_type() == at::kHalf) rounded.push_back(item.key());
  }
  CHECK(rounded == std::vector<std::string>{"backbone.conv.weight", "backbone.mixing.weight"});
  for (const auto& parameter : rig.classifier->parameters())
    CHECK(parameter.scalar_type() == at::kFloat);
}

}  // namespace bcx::test
