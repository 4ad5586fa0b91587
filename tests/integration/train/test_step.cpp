#include <torch/nn/functional/loss.h>
#include <torch/utils.h>

#include <cmath>
#include <limits>

#include "base/error.h"
#include "model/classifier.h"
#include "model/parameters.h"
#include "tests/catch.h"
#include "tests/integration/train/tiny_backbone.h"
#include "train/step.h"

using namespace bcx;
using namespace bcx::train;

namespace {

/// Plain gradient descent, honouring `skip`: enough to see what the host passes.
class Descent : public sdk::Optimizer {
 public:
  void initialize(const at::Tensor&) override {}
  void step(std::span<const sdk::ParameterGroup> groups, const sdk::StepScalars& scalars) override {
    for (const auto& group : groups) {
      const auto update = group.gradients * group.learning_rate.to(at::kFloat);
      group.parameters.sub_(at::where(scalars.skip, at::zeros_like(update), update));
    }
    steps.push_back(groups[0].step.item<double>());
  }
  std::vector<sdk::NamedTensor> state() override { return {}; }
  std::vector<double> steps;
};

struct Rig {
  std::shared_ptr<test::TinyBackbone> backbone;
  std::shared_ptr<model::Classifier> classifier;
  std::unique_ptr<model::FlatParameters> parameters;
  Descent optimizer;
  CrossEntropy loss{0.0, {}, at::kFloat};
  std::unique_ptr<StepExecutor> step;

  explicit Rig(bool batch_norm, StepSettings settings = {}) {
    torch::manual_seed(5);
    backbone = std::make_shared<test::TinyBackbone>(batch_norm);
    config::HeadConfig head;
    head.dropout = 0.0;
    head.batch_norm = false;
    classifier = std::make_shared<model::Classifier>(backbone, head, 3);
    parameters = std::make_unique<model::FlatParameters>(*classifier);
    step = std::make_unique<StepExecutor>(*classifier, *parameters, optimizer,
                                          test::site(config::ComponentKind::optimizer, "descent"),
                                          test::site(config::ComponentKind::backbone, "tiny"), loss,
                                          settings);
    step->set_frozen({});
    step->set_learning_rate(0.1);
  }
  at::Tensor values() const { return parameters->values().clone(); }
};

sdk::Batch batch_of(std::int64_t n, std::uint64_t seed = 1) {
  torch::manual_seed(seed);
  const auto labels = torch::randint(0, 3, {n});
  return {torch::rand({n, 3, 8, 8}).contiguous(at::MemoryFormat::ChannelsLast),
          torch::one_hot(labels, 3).to(at::kFloat)};
}

sdk::Batch slice(const sdk::Batch& batch, std::int64_t from, std::int64_t count) {
  return {batch.images.narrow(0, from, count), batch.targets.narrow(0, from, count)};
}

}  // namespace

TEST_CASE("a step is the module's own gradient descent") {
  Rig rig(true);
  torch::manual_seed(5);
  config::HeadConfig head;
  head.dropout = 0.0;
  head.batch_norm = false;
  model::Classifier twin(std::make_shared<test::TinyBackbone>(true), head, 3);
  sdk::ModelContext context{at::globalContext().defaultGenerator(at::kCPU).clone()};
  const auto batch = batch_of(8);
  const auto values = rig.step->run(1, 8, [&](std::int64_t) { return batch; }, {});
  twin.train();
  const auto loss = torch::nn::functional::cross_entropy(twin.forward(batch.images, context),
                                                         batch.targets.argmax(1));
  loss.backward();
  CHECK(values.loss.item<double>() == Approx(loss.item<double>()).epsilon(1e-6));
  for (const auto& entry : rig.parameters->parameters()) {
    const auto expected = *twin.named_parameters().find(entry.name);
    CHECK(at::allclose(model::FlatParameters::read(entry, rig.parameters->values()),
                       (expected - 0.1 * expected.grad()).detach(), 1e-5, 1e-7));
  }
  const auto totals = rig.step->totals();
  CHECK(totals.samples == 8);
  CHECK(totals.loss == Approx(loss.item<double>()).epsilon(1e-6));
}

TEST_CASE("micro-batches of unequal size equal one large batch without batch statistics") {
  Rig whole(false), parts(false);
  const auto batch = batch_of(16);
  whole.step->run(1, 16, [&](std::int64_t) { return batch; }, {});
  const std::int64_t from[] = {0, 7, 12}, count[] = {7, 5, 4};
  parts.step->run(3, 16, [&](std::int64_t i) { return slice(batch, from[i], count[i]); }, {});
  CHECK(at::allclose(whole.values(), parts.values(), 1e-5, 1e-7));
  CHECK(whole.step->totals().loss == Approx(parts.step->totals().loss).epsilon(1e-6));
  CHECK(whole.step->totals().accuracy == parts.step->totals().accuracy);
}

TEST_CASE("the gradient's norm is clipped") {
  Rig free(false), clipped(false, {.clip_norm = 0.01});
  const auto batch = batch_of(8);
  const auto start = free.values();
  const auto norm =
      free.step->run(1, 8, [&](std::int64_t) { return batch; }, {}).gradient_norm.item<double>();
  clipped.step->run(1, 8, [&](std::int64_t) { return batch; }, {});
  REQUIRE(norm > 0.01);
  CHECK((free.values() - start).norm().item<double>() == Approx(0.1 * norm).epsilon(1e-4));
  CHECK((clipped.values() - start).norm().item<double>() == Approx(0.1 * 0.01).epsilon(1e-3));
}

TEST_CASE("a step that is not finite changes nothing and is counted") {
  Rig rig(false);
  const auto start = rig.values();
  auto bad = batch_of(8);
  bad.images[3][0][0][0] = std::numeric_limits<float>::quiet_NaN();
  rig.step->run(1, 8, [&](std::int64_t) { return bad; }, {});
  CHECK(at::equal(rig.values(), start));
  CHECK(rig.step->totals().skipped == 1);
  CHECK(rig.step->optimizer_steps() == 0);
  rig.step->run(1, 8, [&](std::int64_t) { return batch_of(8); }, {});
  CHECK_FALSE(at::equal(rig.values(), start));
  CHECK(rig.step->optimizer_steps() == 1);
  CHECK(rig.optimizer.steps == std::vector<double>{1.0, 1.0});
}

TEST_CASE("clipping a gradient that is not finite spoils none of the next steps") {
  Rig rig(false, {.clip_norm = 0.5});
  auto bad = batch_of(8);
  bad.images[3][0][0][0] = std::numeric_limits<float>::quiet_NaN();
  rig.step->run(1, 8, [&](std::int64_t) { return bad; }, {});
  const auto after = rig.step->run(1, 8, [&](std::int64_t) { return batch_of(8); }, {});
  CHECK(std::isfinite(after.gradient_norm.item<double>()));
  CHECK(rig.step->totals().skipped == 1);
}

TEST_CASE("a skipped step that is undone leaves nothing but its count") {
  Rig rig(true, {.undo_skipped = true}), twin(true);
  auto bad = batch_of(8);
  bad.images[3][0][0][0] = std::numeric_limits<float>::quiet_NaN();
  for (auto* one : {&rig, &twin})
    one->step->run(1, 8, [&](std::int64_t) { return batch_of(8); }, {});
  rig.step->run(1, 8, [&](std::int64_t) { return bad; }, {});
  CHECK(rig.step->totals().skipped == 1);
  CHECK(rig.step->totals().samples == 8);
  CHECK(rig.step->totals().loss == twin.step->totals().loss);
  CHECK(at::equal(rig.values(), twin.values()));
  CHECK(at::equal(rig.parameters->buffers(), twin.parameters->buffers()));
  // Without the setting the running statistics are spoilt.
  twin.step->run(1, 8, [&](std::int64_t) { return bad; }, {});
  CHECK_FALSE(twin.parameters->buffers().isfinite().all().item<bool>());
}

TEST_CASE("what does not fit into memory goes through in parts, to the same end") {
  Rig whole(false), parts(false, {.allow_parts = true});
  parts.backbone->fits = 3;
  const auto batch = batch_of(16);
  const auto run = [&](Rig& rig) {
    return rig.step->run(2, 16, [&](std::int64_t i) { return slice(batch, 10 * i, i ? 6 : 10); },
                         {});
  };
  const auto expected = run(whole), got = run(parts);
  CHECK(parts.step->parts() == 4);  // 10 / 4 rounded up is 3
  CHECK(got.loss.item<double>() == Approx(expected.loss.item<double>()).epsilon(1e-6));
  CHECK(got.gradient_norm.item<double>() ==
        Approx(expected.gradient_norm.item<double>()).epsilon(1e-5));
  CHECK(at::allclose(whole.values(), parts.values(), 1e-5, 1e-7));
  CHECK(whole.step->totals().loss == Approx(parts.step->totals().loss).epsilon(1e-6));
  CHECK(parts.step->totals().samples == 16);

  // A batch normalisation needs two of a batch; without leave nothing is split.
  for (auto settings : {StepSettings{.allow_parts = true}, StepSettings{}}) {
    Rig rig(true, settings);
    rig.backbone->fits = 1;
    try {
      run(rig);
      FAIL("nothing was thrown");
    } catch (const Error& error) {
      CHECK(error.code() == ExitCode::device);
      CHECK(std::string(error.what()).find("out of memory; lower train.batch_size") !=
            std::string::npos);
    }
  }
}

TEST_CASE("a moving average is the recursion, over running statistics too") {
  Rig rig(true);
  auto expected = rig.values(), statistics = rig.parameters->buffers().clone();
  rig.step->average_weights(1.0);
  for (int i = 0; i < 3; ++i) {
    rig.step->run(1, 8, [&](std::int64_t) { return batch_of(8, 10 + i); }, {0, i});
    rig.step->average_weights(0.1);
    expected = 0.9 * expected + 0.1 * rig.values();
    statistics = 0.9 * statistics + 0.1 * rig.parameters->buffers();
  }
  CHECK(at::allclose(rig.step->average_values(), expected, 1e-5, 1e-7));
  CHECK(at::allclose(rig.step->average_buffers(), statistics, 1e-5, 1e-7));
}

TEST_CASE("dropout depends on seed, epoch and step, and on nothing before") {
  const auto batch = batch_of(8);
  const auto loss_at = [&](std::uint64_t seed, StepPosition at, int steps_before) {
    Rig rig(false, {.seed = seed});
    rig.backbone->drop = 0.5;
    rig.step->set_learning_rate(0.0);
    for (int i = 0; i < steps_before; ++i)
      rig.step->run(1, 8, [&](std::int64_t) { return batch; }, {0, i});
    return rig.step
        ->run(
            1, 8, [&](std::int64_t) { return batch; }, at)
        .loss.item<double>();
  };
  const double here = loss_at(1, {2, 40}, 0);
  CHECK(loss_at(1, {2, 40}, 3) == here);
  CHECK(loss_at(2, {2, 40}, 0) != here);
  CHECK(loss_at(1, {3, 40}, 0) != here);
  CHECK(loss_at(1, {2, 41}, 0) != here);
}

TEST_CASE("frozen parameters stay to the bit, and so do their statistics") {
  Rig rig(true);
  const std::vector<std::string> patterns{"backbone.*"};
  rig.step->set_frozen(patterns);
  const auto statistics = rig.parameters->buffers().clone();
  const auto start = rig.values();
  rig.step->run(1, 8, [&](std::int64_t) { return batch_of(8); }, {});
  CHECK(at::equal(rig.parameters->buffers(), statistics));
  const auto head = rig.parameters->parameters()[4].offset;
  REQUIRE(rig.parameters->parameters()[4].name == "head.linear.weight");
  CHECK(at::equal(rig.values().narrow(0, 0, head), start.narrow(0, 0, head)));
  CHECK_FALSE(at::equal(rig.values(), start));
}

TEST_CASE("the loss scale of fp16 is halved down to 1 and no further") {
  Rig rig(false, {.precision = Precision::fp16});
  auto bad = batch_of(8);
  bad.images[3][0][0][0] = std::numeric_limits<float>::quiet_NaN();
  for (int i = 0; i < 20; ++i) rig.step->run(1, 8, [&](std::int64_t) { return bad; }, {0, i});
  for (const auto& item : rig.step->state())
    if (item.name == "loss_scale") CHECK(item.tensor.item<double>() == 1.0);
  CHECK(rig.step->totals().skipped == 20);
}

TEST_CASE("norms of the gradient's parts add up to the whole one's") {
  Rig rig(true);
  const auto batch = batch_of(8);
  const auto norm =
      rig.step->run(1, 8, [&](std::int64_t) { return batch; }, {}).gradient_norm.item<double>();
  double sum = 0;
  const auto parts = rig.step->gradient_norms();
  CHECK(parts.size() == rig.parameters->parameters().size());
  for (const auto& [name, part] : parts) sum += part * part;
  CHECK(std::sqrt(sum) == Approx(norm).epsilon(1e-5));
}

TEST_CASE("a rehearsal leaves no trace") {
  Rig rig(true);
  const auto start = rig.values(), statistics = rig.parameters->buffers().clone();
  rig.step->rehearse(batch_of(8), Precision::bf16);
  CHECK(at::equal(rig.values(), start));
  CHECK(at::equal(rig.parameters->buffers(), statistics));
  CHECK(rig.step->totals().samples == 0);
}

TEST_CASE("under autocast logits keep float32's digits, so that scores do not tie") {
  Rig rig(true);
  rig.classifier->eval();
  at::Tensor logits;
  {
    torch::NoGradGuard no_grad;
    const AutocastScope autocast(at::kCPU, Precision::bf16);
    logits = rig.classifier->forward(batch_of(8).images, rig.step->context());
  }
  CHECK(logits.scalar_type() == at::kFloat);
  CHECK_FALSE(at::equal(logits, logits.to(at::kBFloat16).to(at::kFloat)));
}

TEST_CASE("after an evaluation a step trains again, and what is frozen stays in evaluation") {
  Rig rig(true);
  const std::vector<std::string> patterns{"backbone.norm.*"};
  rig.step->set_frozen(patterns);
  rig.classifier->eval();
  rig.step->run(1, 8, [&](std::int64_t) { return batch_of(8); }, {});
  CHECK(rig.backbone->is_training());
  CHECK_FALSE(rig.backbone->named_modules()["norm"]->is_training());
}

TEST_CASE("a backbone's feature map of another shape is its mistake") {
  class Averaging : public test::TinyBackbone {
   public:
    using TinyBackbone::TinyBackbone;
    sdk::Features forward(const at::Tensor& images, sdk::ModelContext& context) override {
      auto features = TinyBackbone::forward(images, context);
      features.map = features.map.mean(0, /*keepdim=*/true);
      return features;
    }
  };
  model::Classifier classifier(std::make_shared<Averaging>(false), {}, 3);
  sdk::ModelContext context{at::globalContext().defaultGenerator(at::kCPU).clone()};
  try {
    classifier.forward(batch_of(8).images, context);
    FAIL("one map for eight images");
  } catch (const Error& error) {
    CHECK(std::string(error.what()) ==
          "the backbone returned a feature map [1, 6, 8, 8], expected [8, 6, h, w]");
  }
}

TEST_CASE("bfloat16 follows float32 within its precision") {
  Rig full(true), half(true, {.precision = Precision::bf16});
  for (int i = 0; i < 5; ++i) {
    const auto batch = batch_of(16, 100 + i);
    const double a =
        full.step->run(1, 16, [&](std::int64_t) { return batch; }, {0, i}).loss.item<double>();
    const double b =
        half.step->run(1, 16, [&](std::int64_t) { return batch; }, {0, i}).loss.item<double>();
    CHECK(b == Approx(a).epsilon(0.02));
  }
}
