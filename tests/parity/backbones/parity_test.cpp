// Every backbone against what torchvision or timm computes on the same filled weights:
// ../shared/parity/backbones/NAME.json, made by make_backbones.py beside it; and its published
// classifier: logits.json, made by make_logits.py.
#include <torch/nn/module.h>
#include <torch/utils.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "bcx/sdk/nn.h"
#include "tests/catch.h"
#include "tests/parity/fill.h"
#include "zoo.h"

namespace bcx::test {
namespace {

using Json = nlohmann::json;
using Shapes = std::map<std::string, std::vector<std::int64_t>>;

struct Tolerance {
  at::ScalarType dtype;
  double relative;
  double absolute;  ///< for what is zero but for rounding
};

/// Norms agree to 1e-7; gradients that vanish in theory (a bias before a normalisation) are 1e-15.
constexpr Tolerance kFloat64{at::kDouble, 1e-7, 1e-12};
constexpr Tolerance kFloat32{at::kFloat, 1e-3, 1e-4};
/// Training on two small images is ill-conditioned: the last layers see eight values a channel, and
/// one that crosses a relu's kink moves the gradients. Noise of 6e-8 on the input moves the float64
/// norms of resnet101 by 1 %. Float64 is the proof, this the sanity check.
constexpr Tolerance kFloat32Training{at::kFloat, 5e-2, 1e-3};

Json reference(const std::string& name) {
  std::ifstream file(shared_dir() / "parity/backbones" / (name + ".json"));
  return Json::parse(file);
}

bool of_classifier(const std::string& name) {
  for (const char* prefix : {"classifier.", "fc.", "head.", "heads."})
    if (name.starts_with(prefix)) return true;
  return false;
}

/// Published tensors that hold nothing trained: bcx counts batches elsewhere and computes indices.
bool is_constant(const std::string& name) {
  return name.ends_with("num_batches_tracked") || name.ends_with("relative_position_index");
}

Shapes expected_shapes(const Json& reference, bool with_classifier) {
  Shapes shapes;
  for (const auto& [name, shape] : reference["state_dict"].items())
    if (!is_constant(name) && (with_classifier || !of_classifier(name)))
      shapes[name] = shape.get<std::vector<std::int64_t>>();
  return shapes;
}

Shapes shapes_of(const torch::nn::Module& module) {
  Shapes shapes;
  for (const auto& [name, tensor] : state_of(module)) shapes[name] = tensor.sizes().vec();
  return shapes;
}

/// Says which names differ, in words, rather than printing both maps.
void check_same(const Shapes& got, const Shapes& expected) {
  for (const auto& [name, shape] : expected) {
    INFO("published tensor " << name);
    REQUIRE(got.contains(name));
    CHECK(got.at(name) == shape);
  }
  for (const auto& item : got) {
    INFO("own tensor " << item.first);
    CHECK(expected.contains(item.first));
  }
}

std::shared_ptr<sdk::Backbone> filled(const std::string& name, at::ScalarType dtype) {
  auto backbone = make_backbone(name, without_randomness(name));
  const torch::NoGradGuard no_grad;
  for (auto& [tensor_name, tensor] : state_of(*backbone))
    tensor.copy_(fill(tensor_name, tensor.sizes()));
  backbone->to(dtype);
  return backbone;
}

void check_near(double got, double expected, const Tolerance& tolerance) {
  const double allowed = tolerance.relative * std::abs(expected) + tolerance.absolute;
  if (std::abs(got - expected) <= allowed) return;
  CAPTURE(got, expected, allowed);
  CHECK(std::abs(got - expected) <= allowed);
}

void check_map(const at::Tensor& map, const Json& expected, const Tolerance& tolerance) {
  REQUIRE(map.sizes().vec() == expected["shape"].get<std::vector<std::int64_t>>());
  const auto values = map.detach().to(at::kDouble).contiguous().flatten();
  const auto first = expected["first"].get<std::vector<double>>();
  // A single value may be near zero where its neighbours are not: allow for the map's scale.
  const double scale = expected["l2"].get<double>() / std::sqrt(static_cast<double>(map.numel()));
  const Tolerance of_value{tolerance.dtype, tolerance.relative, tolerance.relative * scale};
  for (std::size_t i = 0; i < first.size(); ++i) {
    INFO("value " << i);
    check_near(values[static_cast<std::int64_t>(i)].item<double>(), first[i], of_value);
  }
  check_near(values.mean().item<double>(), expected["mean"], of_value);
  check_near(values.std(/*unbiased=*/false).item<double>(), expected["std"], tolerance);
  check_near(values.norm().item<double>(), expected["l2"], tolerance);
}

void check_norms(const std::map<std::string, at::Tensor>& tensors, const Json& expected,
                 const Tolerance& tolerance) {
  CHECK(tensors.size() == expected.size());
  for (const auto& [name, norm] : expected.items()) {
    INFO(name);
    REQUIRE(tensors.contains(name));
    check_near(tensors.at(name).to(at::kDouble).norm().item<double>(), norm, tolerance);
  }
}

sdk::Features features_of(sdk::Backbone& backbone, const Json& reference, at::ScalarType dtype) {
  auto context = make_context();
  return backbone.forward(fill_input(reference["side"]).to(dtype), context);
}

/// What the reference calls a network's features: a transformer's tokens where it has them.
const at::Tensor& referred(const sdk::Features& features) {
  return features.tokens.defined() ? features.tokens : features.map;
}

sdk::Features check_evaluation(sdk::Backbone& backbone, const Json& reference,
                               const Tolerance& tolerance) {
  const torch::NoGradGuard no_grad;
  backbone.eval();
  auto features = features_of(backbone, reference, tolerance.dtype);
  check_map(referred(features), reference["eval"], tolerance);
  return features;
}

/// loss = sum(map * probe) / elements, in training mode without dropout.
void check_training(sdk::Backbone& backbone, const Json& reference, const Tolerance& tolerance) {
  backbone.train();
  const auto map = referred(features_of(backbone, reference, tolerance.dtype));
  check_map(map, reference["train"], tolerance);

  const auto probe = (2 * fill_uniform("probe", map.sizes()) - 1).to(tolerance.dtype);
  ((map * probe).sum() / map.numel()).backward();
  std::map<std::string, at::Tensor> gradients, buffers;
  for (const auto& item : backbone.named_parameters()) gradients[item.key()] = item.value().grad();
  for (const auto& item : backbone.named_buffers()) buffers[item.key()] = item.value();
  check_norms(gradients, reference["gradient_l2"], tolerance);
  check_norms(buffers, reference["buffer_l2"], tolerance);
}

void check_first_and_norm(const at::Tensor& values, const Json& expected,
                          const Tolerance& tolerance) {
  const double norm = expected["l2"];
  check_near(values.norm().item<double>(), norm, tolerance);
  const double scale = norm / std::sqrt(static_cast<double>(values.numel()));
  const Tolerance of_value{tolerance.dtype, tolerance.relative, tolerance.relative * scale};
  const auto flat = values.flatten();
  for (std::int64_t i = 0; i < 8; ++i) {
    INFO("value " << i);
    check_near(flat[i].item<double>(), expected["first"][static_cast<std::size_t>(i)], of_value);
  }
}

/// make_logits.py's rule: a large matrix is the sum of a filled row and a filled column.
at::Tensor fill_classifier(const std::string& name, at::IntArrayRef shape) {
  if (shape.size() != 2 || shape[0] * shape[1] <= 10'000'000) return fill(name, shape);
  return fill(name + "#row", {1, shape[1]}) +
         fill(name + "#column", {shape[0], 1}) / static_cast<double>(shape[1]);
}

/// `features` are what the backbone gave in evaluation mode.
void check_logits(sdk::Backbone& backbone, const sdk::Features& features, const Json& expected) {
  const torch::NoGradGuard no_grad;
  backbone.add_published_classifier();
  for (auto& [name, tensor] : state_of(backbone))
    if (of_classifier(name)) tensor.copy_(fill_classifier(name, tensor.sizes()));
  backbone.eval();
  auto context = make_context();
  const auto logits = backbone.published_logits(features, context);
  REQUIRE(logits.sizes() == at::IntArrayRef({2, sdk::kImageNetClasses}));
  check_first_and_norm(logits, expected, kFloat32);
}

Json published_logits() {
  std::ifstream file(source_dir() / "tests/parity/backbones/logits.json");
  return Json::parse(file);
}

}  // namespace

TEST_CASE("backbones have the published tensors and on request their classifier") {
  BCX_NEEDS_SHARED("parity/backbones");
  for (const auto& name : backbone_names()) {
    DYNAMIC_SECTION(name) {
      const auto published = reference(name);
      const auto backbone = make_backbone(name);
      check_same(shapes_of(*backbone), expected_shapes(published, false));
      backbone->add_published_classifier();
      check_same(shapes_of(*backbone), expected_shapes(published, true));
      std::int64_t parameters = 0;
      for (const auto& parameter : backbone->parameters()) parameters += parameter.numel();
      CHECK(parameters == published["parameters"].get<std::int64_t>());
    }
  }
}

TEST_CASE("backbones compute what the published ones compute (float64)") {
  BCX_NEEDS_SHARED("parity/backbones");
  for (const auto& name : backbone_names()) {
    DYNAMIC_SECTION(name) {
      const auto published = reference(name);
      const auto backbone = filled(name, at::kDouble);
      check_evaluation(*backbone, published, kFloat64);
      check_training(*backbone, published, kFloat64);
    }
  }
}

TEST_CASE("backbones and their classifiers compute what the published ones compute (float32)") {
  BCX_NEEDS_SHARED("parity/backbones");
  const auto logits = published_logits();
  for (const auto& name : backbone_names()) {
    DYNAMIC_SECTION(name) {
      const auto published = reference(name);
      const auto backbone = filled(name, at::kFloat);
      const auto features = check_evaluation(*backbone, published, kFloat32);
      // A vision transformer's reference has 224 pixels, which takes seconds.
      if (published["side"] <= 64) check_training(*backbone, published, kFloat32Training);
      check_logits(*backbone, features, logits[name]);
    }
  }
}

TEST_CASE("a vision transformer takes other sizes, its positions interpolated") {
  const auto backbone = filled("vit_b_16", at::kDouble);
  backbone->eval();
  const torch::NoGradGuard no_grad;
  auto context = make_context();
  const auto tokens = backbone->forward(fill_input(96).to(at::kDouble), context).tokens;
  CHECK(tokens.sizes() == at::IntArrayRef({2, 37, 768}));
  check_first_and_norm(tokens, published_logits()["vit_b_16 at 96"], kFloat64);
  CHECK_THROWS_WITH(
      backbone->forward(fill_input(100).to(at::kDouble), context),
      "images of 100 x 100 pixels: height and width must be multiples of 16, the size "
      "of a patch");
}

}  // namespace bcx::test
