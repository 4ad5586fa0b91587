// What the manifests say about the backbones, and what every backbone owes its host.
#include <ATen/record_function.h>
#include <torch/utils.h>

#include <cmath>

#include "tests/catch.h"
#include "zoo.h"

namespace bcx::test {
namespace {

/// Operators called on this thread while it lives. One at a time.
class OperatorCounts {
 public:
  OperatorCounts()
      : handle_(at::addThreadLocalCallback(at::RecordFunctionCallback(begin, end)
                                               .needsInputs(true)
                                               .needsOutputs(true)
                                               .scopes({at::RecordScope::FUNCTION}))) {
    multiply_accumulates = additions = 0;
  }
  ~OperatorCounts() { at::removeCallback(handle_); }
  OperatorCounts(const OperatorCounts&) = delete;
  OperatorCounts& operator=(const OperatorCounts&) = delete;

  static inline std::int64_t multiply_accumulates = 0;  ///< of convolutions and matrix products
  static inline std::int64_t additions = 0;

 private:
  /// Weights that each element of the output meets; 0: another operator.
  struct Cost : at::ObserverContext {
    std::int64_t per_output = 0;
  };

  /// Inputs can be seen at the start of a call alone, outputs at its end. Every convolution passes
  /// through `aten::convolution`(input, weight, ...), every other product through one of the rest.
  static std::int64_t cost_per_output(std::string_view name, c10::ArrayRef<const c10::IValue> in) {
    if (name == "aten::convolution") return in[1].toTensor().numel() / in[1].toTensor().size(0);
    if (name == "aten::mm") return in[0].toTensor().size(1);
    if (name == "aten::addmm") return in[1].toTensor().size(1);
    if (name == "aten::bmm") return in[0].toTensor().size(2);
    // Two products: a query with every key [N, heads, T, width], and the weights with every value.
    if (name == "aten::_scaled_dot_product_flash_attention_for_cpu")
      return 2 * in[1].toTensor().size(2);
    return 0;
  }

  static std::unique_ptr<at::ObserverContext> begin(const at::RecordFunction& call) {
    const std::string_view name = call.name();
    if (name == "aten::add" || name == "aten::add_") ++additions;
    auto cost = std::make_unique<Cost>();
    cost->per_output = cost_per_output(name, call.inputs());
    return cost;
  }

  static void end(const at::RecordFunction& call, at::ObserverContext* context) {
    const auto per_output = static_cast<Cost*>(context)->per_output;
    if (per_output > 0) multiply_accumulates += call.outputs()[0].toTensor().numel() * per_output;
  }

  at::CallbackHandle handle_;
};

at::Tensor map_of(sdk::Backbone& backbone, std::int64_t side, std::int64_t batch = 1) {
  auto context = make_context();
  return backbone.forward(torch::ones({batch, 3, side, side}), context).map;
}

/// A fused operation's products are not seen.
std::shared_ptr<sdk::Backbone> make_plain(const std::string& name) {
  std::map<std::string, sdk::Value, std::less<>> overrides;
  for (const auto& param : backbone_spec(name).params)
    if (param.name == "fused") overrides.emplace("fused", false);
  return make_backbone(name, overrides);
}

double gmacs(const std::string& name, std::int64_t side) {
  const auto backbone = make_plain(name);
  backbone->eval();
  const OperatorCounts counts;
  map_of(*backbone, side);
  return static_cast<double>(OperatorCounts::multiply_accumulates) * 1e-9;
}

/// The generator that the host seeds once and that a forward pass must leave alone.
at::Tensor default_generator_state() {
  return at::globalContext().defaultGenerator(at::kCPU).get_state();
}

}  // namespace

// GMACs agree with what torchvision publishes ("GFLOPS" in the weights' tables of its
// documentation: 4.29 for DenseNet201) less the classifier.
TEST_CASE("backbones are what their manifests say") {
  const torch::NoGradGuard no_grad;
  for (const auto& name : backbone_names()) {
    DYNAMIC_SECTION(name) {
      const auto& facts = backbone_spec(name).facts;
      const auto backbone = make_backbone(name);
      backbone->eval();
      std::int64_t parameters = 0;
      for (const auto& parameter : backbone->parameters()) parameters += parameter.numel();
      CHECK(parameters == facts.parameters.value());
      CHECK(backbone->channels() == facts.channels.value());
      CHECK(backbone->smallest_size() == facts.smallest_size.value());
      CHECK(map_of(*backbone, 32).size(1) == backbone->channels());
      const auto smallest = backbone->smallest_size();
      CHECK(map_of(*backbone, smallest).sizes() ==
            at::IntArrayRef({1, backbone->channels(), 1, 1}));
      if (smallest > 1) CHECK_THROWS(map_of(*backbone, smallest - 1));
      auto context = make_context();
      CHECK_THROWS_WITH(backbone->published_logits({}, context),
                        "add_published_classifier() was not called");
      CHECK(gmacs(name, 224) == Approx(facts.gmacs_224.value()).epsilon(0.002));
    }
  }
}

TEST_CASE("the same seed makes the same backbone") {
  for (const auto& name : {"densenet121", "resnet18", "mobilenet_v3_small", "tf_efficientnet_lite0",
                           "squeezenet1_1", "convnext_tiny", "swin_t"}) {
    DYNAMIC_SECTION(name) {
      torch::manual_seed(7);
      const auto first = make_backbone(name);
      torch::manual_seed(7);
      const auto second = make_backbone(name);
      const auto before = state_of(*first), after = state_of(*second);
      bool equal = before.size() == after.size();
      for (std::size_t i = 0; equal && i < before.size(); ++i)
        equal = before[i].second.equal(after[i].second);
      CHECK(equal);
    }
  }
}

TEST_CASE("randomness inside a backbone comes from the context alone") {
  const std::pair<const char*, const char*> options[] = {
      {"densenet121", "drop_rate"},
      {"tf_efficientnet_lite0", "drop_path_rate"},
      {"efficientnet_b0", "stochastic_depth_prob"},
      {"convnext_tiny", "stochastic_depth_prob"},
      {"vit_b_16", "dropout"},
      {"vit_b_16", "attention_dropout"},
      {"swin_t", "stochastic_depth_prob"},
      {"swin_t", "dropout"},
      {"swin_t", "attention_dropout"}};
  const torch::NoGradGuard no_grad;
  for (const auto& [name, rate] : options) {
    DYNAMIC_SECTION(name << " " << rate) {
      auto overrides = without_randomness(name);
      overrides[rate] = 0.5;
      const auto backbone = make_backbone(name, overrides);
      const auto images = torch::ones({4, 3, 32, 32});
      const auto map = [&](std::uint64_t seed) {
        auto context = make_context(seed);
        return backbone->forward(images, context).map;
      };
      backbone->train();
      const auto before = default_generator_state();
      CHECK(map(1).equal(map(1)));
      CHECK(!map(1).equal(map(2)));
      CHECK(default_generator_state().equal(before));
      backbone->eval();
      CHECK(map(1).equal(map(2)));
    }
  }
}

TEST_CASE("zero_init_residual starts each block as the identity") {
  const auto backbone = make_backbone("resnet50", {{"zero_init_residual", true}});
  std::int64_t silent = 0;
  for (const auto& item : backbone->named_parameters())
    if (item.key().ends_with(".weight") && item.value().count_nonzero().item<std::int64_t>() == 0)
      ++silent;
  CHECK(silent == 16);
}

TEST_CASE("a plain dense block's backward pass adds one gradient a layer") {
  const auto backbone = make_plain("densenet201");
  backbone->train();
  const auto loss = map_of(*backbone, 32, 2).sum();
  const OperatorCounts counts;
  loss.backward();
  CHECK(OperatorCounts::additions == 98);
}

}  // namespace bcx::test
