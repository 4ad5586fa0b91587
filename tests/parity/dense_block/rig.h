// Dense blocks with the deterministic numbers of fill.h, a step of training, and comparisons.
#pragma once

#include <torch/utils.h>

#include <cmath>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "dense_block.h"
#include "tests/catch.h"
#include "tests/parity/fill.h"

namespace bcx::test {

using densenet::DenseBlock;
using densenet::DenseBlockOptions;

inline constexpr auto channels_last = at::MemoryFormat::ChannelsLast;

/// `kinks`: half of the activations' inputs are negative; else none is, and gradients are
/// continuous.
inline std::shared_ptr<DenseBlock> make_block(DenseBlockOptions options, bool fused,
                                              at::ScalarType type, bool kinks) {
  options.fused = fused;
  auto block = std::make_shared<DenseBlock>(options);
  const torch::NoGradGuard no_grad;
  for (auto& item : block->named_parameters())
    item.value().copy_(fill(item.key(), item.value().sizes()));
  for (auto& item : block->named_buffers())
    item.value().copy_(fill(item.key(), item.value().sizes()));
  if (!kinks)
    for (auto& item : block->named_parameters())
      if (item.key().ends_with("bias")) item.value().add_(10.0);
  block->to(type);
  for (auto& parameter : block->parameters())
    if (parameter.dim() == 4) parameter.set_data(parameter.contiguous(channels_last));
  return block;
}

inline at::Tensor input(at::IntArrayRef shape, at::ScalarType type) {
  // Away from zero: a variance is then a small difference of large sums.
  return (2 * fill_uniform("input", shape) + 0.5).to(type).contiguous(channels_last);
}

/// All that a step of training leaves, by name.
using Left = std::map<std::string, at::Tensor>;

using Run = std::function<at::Tensor(const at::Tensor& x)>;

/// `run` makes the features; by default the block itself. What is frozen leaves an undefined
/// gradient.
inline Left train(DenseBlock& block, at::Tensor x, Run run = {}) {
  bcx::sdk::ModelContext context;
  if (!run) run = [&](const at::Tensor& x) { return block.forward(x, context).map; };
  x.requires_grad_();
  // What comes before a block in a network is no leaf.
  const auto features = run(x * 1.0);
  const auto probe = (2 * fill_uniform("probe", features.sizes()) - 1)
                         .to(at::kBFloat16)  // the same numbers in every type
                         .to(features.options());
  (features * probe).sum().backward();
  Left left{{"features", features.detach()}, {"input", x.grad()}};
  for (const auto& item : block.named_parameters()) left[item.key()] = item.value().grad();
  for (const auto& item : block.named_buffers()) left[item.key()] = item.value();
  return left;
}

/// Layers 1, 2, ... of a block.
inline std::vector<densenet::LayerTensors> layer_tensors(const DenseBlock& block) {
  const auto parameters = block.named_parameters(), buffers = block.named_buffers();
  std::vector<densenet::LayerTensors> layers;
  for (std::size_t i = 1; i <= block.children().size(); ++i) {
    const auto layer = "denselayer" + std::to_string(i) + ".";
    const auto parameter = [&](const char* name) { return parameters[layer + name]; };
    const auto buffer = [&](const char* name) { return buffers[layer + name]; };
    layers.push_back({parameter("norm1.weight"), parameter("norm1.bias"), parameter("conv1.weight"),
                      parameter("norm2.weight"), parameter("norm2.bias"), parameter("conv2.weight"),
                      buffer("norm1.running_mean"), buffer("norm1.running_var"),
                      buffer("norm2.running_mean"), buffer("norm2.running_var")});
  }
  return layers;
}

/// Largest difference relative to the norm of a tensor's values (root mean square).
inline double difference(const at::Tensor& got, const at::Tensor& expected) {
  const auto wanted = expected.to(at::kCPU, at::kDouble);
  const auto scale = wanted.norm() / std::sqrt(wanted.numel());
  return ((got.to(at::kCPU, at::kDouble) - wanted).abs().max() / scale).item<double>();
}

/// Shapes and types as the plain block's, and `near(name, got, expected)`.
template <typename Near>
void check_all(const Left& fused, const Left& plain, const Near& near) {
  REQUIRE(plain.size() == fused.size());
  for (const auto& [name, expected] : plain) {
    INFO(name);
    const auto& got = fused.at(name);
    REQUIRE(got.defined() == expected.defined());
    if (!expected.defined()) continue;
    CHECK(got.device() == expected.device());
    CHECK(got.sizes() == expected.sizes());
    CHECK(got.scalar_type() == expected.scalar_type());
    near(name, got, expected);
  }
}

inline constexpr DenseBlockOptions kGrowth32{.layers = 7, .channels = 64, .growth = 32};
inline constexpr DenseBlockOptions kGrowth48{.layers = 5, .channels = 96, .growth = 48};
// Several panels of 256 channels, the last one of 16.
inline constexpr DenseBlockOptions kWide{.layers = 2, .channels = 528, .growth = 16};

}  // namespace bcx::test
