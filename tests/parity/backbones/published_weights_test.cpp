// Networks with their real ImageNet weights against the logits that others compute with them.
#include <torch/nn/module.h>
#include <torch/utils.h>

#include <cstring>
#include <fstream>
#include <iterator>

#include "tests/catch.h"
#include "weights/safetensors.h"
#include "zoo.h"

namespace bcx::test {
namespace {

/// A float32 array of NumPy's format 1.0: magic, header length, header, row-major values.
at::Tensor read_npy(const std::filesystem::path& path, at::IntArrayRef shape) {
  std::ifstream file(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  auto values = torch::empty(shape);
  REQUIRE(bytes.size() > values.nbytes());
  const std::string_view header(bytes.data(), bytes.size() - values.nbytes());
  REQUIRE(header.starts_with("\x93NUMPY"));
  REQUIRE(header.find("'descr': '<f4', 'fortran_order': False") != std::string_view::npos);
  std::memcpy(values.data_ptr(), bytes.data() + header.size(), values.nbytes());
  return values;
}

void load(torch::nn::Module& module, const std::filesystem::path& path) {
  const torch::NoGradGuard no_grad;
  const auto file = weights::SafetensorsFile::open(path);
  for (auto& [name, tensor] : state_of(module)) {
    const auto* stored = file.find(name);
    INFO(name);
    REQUIRE(stored != nullptr);
    REQUIRE(stored->shape == tensor.sizes().vec());
    weights::copy_as_float32(*stored,
                             {tensor.data_ptr<float>(), static_cast<std::size_t>(tensor.numel())});
  }
}

double largest_difference(const at::Tensor& a, const at::Tensor& b) {
  return (a - b).abs().max().item<double>();
}

/// The backbone with its published classifier and weights, in evaluation mode.
std::shared_ptr<sdk::Backbone> published(const std::string& name) {
  auto backbone = make_backbone(name);
  backbone->add_published_classifier();
  backbone->eval();
  load(*backbone, shared_dir() / "data/weights" / (name + "_imagenet.safetensors"));
  return backbone;
}

}  // namespace

TEST_CASE("EfficientNet-Lite0 with its published weights gives timm's logits") {
  BCX_NEEDS_SHARED("data/weights/tf_efficientnet_lite0_imagenet.safetensors");
  const torch::NoGradGuard no_grad;
  const auto expected = shared_dir() / "data/weights/tf_efficientnet_lite0_expected";
  const auto backbone = published("tf_efficientnet_lite0");
  for (const std::string number : {"0", "1"}) {
    auto context = make_context();
    const auto images = read_npy(expected / ("input_" + number + ".npy"), {1, 3, 224, 224});
    const auto logits = read_npy(expected / ("logits_" + number + ".npy"), {1, 1000});
    const auto features = backbone->forward(images, context);
    CHECK(largest_difference(backbone->published_logits(features, context), logits) < 1e-3);
    if (number == "0")
      CHECK(largest_difference(features.map,
                               read_npy(expected / "features_0.npy", {1, 1280, 7, 7})) < 1e-3);
    const auto last = backbone->forward(images.contiguous(at::MemoryFormat::ChannelsLast), context);
    CHECK(largest_difference(backbone->published_logits(last, context), logits) < 1e-3);
  }
}

// The reference rounds down in its poolings where torchvision rounds up: the same at 224 pixels.
TEST_CASE("SqueezeNet 1.1 with its published weights gives the ONNX model's logits") {
  BCX_NEEDS_SHARED("data/weights/squeezenet1_1_imagenet.safetensors");
  const torch::NoGradGuard no_grad;
  const auto expected = shared_dir() / "data/weights/squeezenet1_1_expected";
  const auto backbone = published("squeezenet1_1");
  for (const std::string number : {"0", "1", "2"}) {
    auto context = make_context();
    const auto images = read_npy(expected / ("input_" + number + ".npy"), {1, 3, 224, 224});
    const auto logits = read_npy(expected / ("output_" + number + ".npy"), {1, 1000});
    const auto features = backbone->forward(images, context);
    CHECK(largest_difference(backbone->published_logits(features, context), logits) < 1e-3);
  }
}

}  // namespace bcx::test
