// The SDK's layers against plain arithmetic.
#include "bcx/sdk/nn.h"

#include <ATen/CPUGeneratorImpl.h>
#include <torch/nn/module.h>
#include <torch/utils.h>

#include <cmath>

#include "tests/catch.h"

namespace bcx::test {
namespace {

/// SAME convolution of one channel, written down pixel by pixel from TensorFlow's definition
/// (https://www.tensorflow.org/api_docs/python/tf/nn, "Notes on padding").
at::Tensor slow_same(const at::Tensor& image, const at::Tensor& kernel, std::int64_t stride) {
  const std::int64_t height = image.size(0), width = image.size(1), k = kernel.size(0);
  const auto outputs = [&](std::int64_t size) { return (size + stride - 1) / stride; };
  const auto before = [&](std::int64_t size) {
    const auto rest = size % stride == 0 ? k - stride : k - size % stride;
    return std::max<std::int64_t>(rest, 0) / 2;
  };
  const auto result = torch::zeros({outputs(height), outputs(width)}, at::kDouble);
  const auto in = image.accessor<double, 2>(), weight = kernel.accessor<double, 2>();
  auto out = result.accessor<double, 2>();
  for (std::int64_t y = 0; y < result.size(0); ++y)
    for (std::int64_t x = 0; x < result.size(1); ++x)
      for (std::int64_t i = 0; i < k; ++i)
        for (std::int64_t j = 0; j < k; ++j) {
          const auto row = y * stride + i - before(height), column = x * stride + j - before(width);
          if (row >= 0 && row < height && column >= 0 && column < width)
            out[y][x] += in[row][column] * weight[i][j];
        }
  return result;
}

}  // namespace

TEST_CASE("channels are rounded to a multiple by at most a tenth down") {
  CHECK(sdk::make_divisible(16 * 1.1) == 16);
  CHECK(sdk::make_divisible(24 * 1.1) == 24);
  CHECK(sdk::make_divisible(40 * 1.1) == 48);
  CHECK(sdk::make_divisible(72.0 / 4) == 24);
  CHECK(sdk::make_divisible(120.0 / 4) == 32);
  CHECK(sdk::make_divisible(16.0 / 4) == 8);
  CHECK(sdk::make_divisible(11) == 16);  // 8 would be 27 % less
}

TEST_CASE("SAME padding is TensorFlow's") {
  for (const std::int64_t kernel : {1, 2, 3, 5})
    for (const std::int64_t stride : {1, 2, 3})
      for (const std::int64_t height : {1, 6, 7, 8})
        for (const std::int64_t width : {5, 6}) {
          CAPTURE(kernel, stride, height, width);
          sdk::Conv2d layer({.in = 1,
                             .out = 1,
                             .kernel = kernel,
                             .stride = stride,
                             .padding_mode = sdk::Padding::same});
          layer.to(at::kDouble);
          const torch::NoGradGuard no_grad;
          const auto image = torch::randn({height, width}, at::kDouble);
          const auto expected = slow_same(image, layer.weight[0][0], stride);
          CHECK(torch::allclose(layer.forward(image.view({1, 1, height, width}))[0][0], expected, 0,
                                1e-12));
        }
}

TEST_CASE("squeeze-excitation scales channels by a gate of their means") {
  sdk::SqueezeExcitation layer({.channels = 6, .squeezed = 3, .reduce_name = "conv_reduce"});
  const auto parameters = layer.named_parameters();
  const auto x = torch::randn({2, 6, 4, 5});
  const auto matrix = [&](const char* name) { return parameters[name].flatten(1); };
  const auto hidden = torch::relu(
      torch::linear(x.mean({2, 3}), matrix("conv_reduce.weight"), parameters["conv_reduce.bias"]));
  const auto gate =
      torch::sigmoid(torch::linear(hidden, matrix("fc2.weight"), parameters["fc2.bias"]));
  CHECK(torch::allclose(layer.forward(x), x * gate.unsqueeze(-1).unsqueeze(-1), 1e-5, 1e-6));
}

TEST_CASE("batch normalisation follows its definition and moves its statistics") {
  sdk::BatchNorm2d layer(3, {.eps = 1e-3, .momentum = 0.25});
  layer.to(at::kDouble);
  const auto x = torch::randn({4, 3, 5, 6}, at::kDouble) * 2 + 1;
  const auto mean = x.mean({0, 2, 3}), variance = x.var(at::IntArrayRef{0, 2, 3}, false);
  const auto wide = [](const at::Tensor& t) { return t.view({1, 3, 1, 1}); };
  layer.train();
  CHECK(torch::allclose(layer.forward(x), (x - wide(mean)) / torch::sqrt(wide(variance) + 1e-3)));
  // The running variance takes the unbiased estimate.
  CHECK(torch::allclose(layer.running_mean, 0.25 * mean));
  CHECK(torch::allclose(layer.running_var, 0.75 + 0.25 * variance * 120 / 119));
  layer.eval();
  CHECK(torch::allclose(layer.forward(x), (x - wide(layer.running_mean)) /
                                              torch::sqrt(wide(layer.running_var) + 1e-3)));
  CHECK(layer.buffers().size() == 2);
}

TEST_CASE("activations are their formulas") {
  const auto x = torch::linspace(-7, 7, 57, at::kDouble);
  const auto six = torch::clamp(x + 3, 0, 6) / 6;
  const std::pair<sdk::Activation, at::Tensor> expected[] = {
      {sdk::Activation::none, x},
      {sdk::Activation::relu, torch::clamp_min(x, 0)},
      {sdk::Activation::relu6, torch::clamp(x, 0, 6)},
      {sdk::Activation::hardswish, x * six},
      {sdk::Activation::silu, x / (1 + torch::exp(-x))},
      {sdk::Activation::gelu, x * 0.5 * (1 + torch::erf(x / std::sqrt(2.0)))},
      {sdk::Activation::sigmoid, 1 / (1 + torch::exp(-x))},
      {sdk::Activation::hardsigmoid, six}};
  for (const auto& [activation, values] : expected) {
    CAPTURE(static_cast<int>(activation));
    CHECK(torch::allclose(sdk::activate(x.clone(), activation), values, 0, 1e-12));
  }
}

TEST_CASE("initialisation has the deviation that it names") {
  struct Two : torch::nn::Module {
    std::shared_ptr<sdk::Conv2d> convolution = sdk::add<sdk::Conv2d>(
        *this, "convolution",
        sdk::Conv2dOptions{.in = 64, .out = 128, .kernel = 3, .groups = 2, .bias = true});
  };
  torch::manual_seed(1);
  Two module;
  const auto deviation = [&] { return module.convolution->weight.std().item<double>(); };
  // U(-b, b) has the deviation b / sqrt(3).
  CHECK(deviation() == Approx(1 / std::sqrt(3.0 * 32 * 9)).epsilon(0.02));
  sdk::initialize_convolutions(module, sdk::Fan::in);
  CHECK(deviation() == Approx(std::sqrt(2.0 / (32 * 9))).epsilon(0.02));
  sdk::initialize_convolutions(module, sdk::Fan::out);
  CHECK(deviation() == Approx(std::sqrt(2.0 / (128 * 9))).epsilon(0.02));
  sdk::initialize_convolutions(module, sdk::Fan::out_per_group);
  CHECK(deviation() == Approx(std::sqrt(2.0 / (64 * 9))).epsilon(0.02));
  CHECK(module.convolution->bias.count_nonzero().item<std::int64_t>() == 0);

  sdk::Linear linear(100, 50);
  sdk::initialize_normal(linear, 0.01);
  CHECK(linear.weight.std().item<double>() == Approx(0.01).epsilon(0.05));
  sdk::initialize_uniform(linear, 0.5);
  CHECK(linear.weight.abs().max().item<double>() == Approx(0.5).epsilon(0.01));
  CHECK(linear.bias.count_nonzero().item<std::int64_t>() == 0);
  sdk::initialize_glorot(linear);
  CHECK(linear.weight.abs().max().item<double>() == Approx(std::sqrt(6.0 / 150)).epsilon(0.01));

  sdk::initialize_convolutions(module, 0.02);
  CHECK(deviation() == Approx(0.02).epsilon(0.02));
}

TEST_CASE("layer normalisation follows its definition") {
  sdk::LayerNorm layer(6, 1e-3);
  layer.to(at::kDouble);
  const auto x = torch::randn({2, 5, 6}, at::kDouble) * 3 - 1;
  const auto mean = x.mean(-1, true), variance = x.var(at::IntArrayRef{-1}, false, true);
  CHECK(torch::allclose(layer.forward(x), (x - mean) / torch::sqrt(variance + 1e-3)));
}

TEST_CASE("a sequence numbers its blocks, which take the context or do without") {
  struct Twice : torch::nn::Module {
    static at::Tensor forward(const at::Tensor& x) { return 2 * x; }
  };
  sdk::Sequence<Twice> plain;
  plain.append();
  plain.append();
  sdk::Sequence<sdk::Mlp> drawing;
  drawing.append(4, 8, 0.5);
  sdk::ModelContext context{at::make_generator<at::CPUGeneratorImpl>(1)};
  CHECK(plain.forward(torch::ones({1}), context).item<double>() == 4);
  CHECK(drawing.named_parameters().contains("0.3.bias"));
  const auto x = torch::ones({2, 4});
  CHECK(!drawing.forward(x, context).equal(drawing.forward(x, context)));
  drawing.eval();
  CHECK(drawing.forward(x, context).equal(drawing.forward(x, context)));
}

}  // namespace bcx::test
