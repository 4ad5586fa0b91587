#include "dense_block.h"

#include <ATen/ATen.h>
#include <ATen/autocast_mode.h>

#include <algorithm>

#include "gpu_trial.h"

namespace densenet {
namespace sdk = bcx::sdk;

DenseLayer::DenseLayer(std::int64_t channels, const DenseBlockOptions& options)
    : drop_rate_(options.drop_rate) {
  const std::int64_t width = options.bottleneck * options.growth;
  norm1_ = sdk::add<sdk::BatchNorm2d>(*this, "norm1", channels);
  conv1_ = sdk::add<sdk::Conv2d>(*this, "conv1", sdk::Conv2dOptions{.in = channels, .out = width});
  norm2_ = sdk::add<sdk::BatchNorm2d>(*this, "norm2", width);
  conv2_ = sdk::add<sdk::Conv2d>(
      *this, "conv2", sdk::Conv2dOptions{.in = width, .out = options.growth, .kernel = 3});
}

at::Tensor DenseLayer::forward(const at::Tensor& x, sdk::ModelContext& context) const {
  const auto relu = sdk::Activation::relu;
  const auto narrow = conv1_->forward(sdk::activate(norm1_->forward(x), relu));
  const auto features = conv2_->forward(sdk::activate(norm2_->forward(narrow), relu));
  return sdk::dropout(features, drop_rate_, is_training(), context);
}

DenseBlock::DenseBlock(const DenseBlockOptions& options) : options_(options) {
  for (std::int64_t i = 0; i < options.layers; ++i)
    layers_.push_back(sdk::add<DenseLayer>(*this, "denselayer" + std::to_string(i + 1),
                                           options.channels + i * options.growth, options));
}

Features DenseBlock::forward(const at::Tensor& x, sdk::ModelContext& context) const {
  if (options_.fused)
    if (auto features = fused(x); features.map.defined()) return features;
  return {plain(x, context)};
}

// Each layer's result is appended to what is there. Concatenating the list of all earlier features
// for every layer gives the same numbers, but its backward pass adds up a gradient for every pair
// of layers: 1,803 additions in DenseNet201 instead of 98.
at::Tensor DenseBlock::plain(at::Tensor x, sdk::ModelContext& context) const {
  for (const auto& layer : layers_) x = at::cat({x, layer->forward(x, context)}, 1);
  return x;
}

Features DenseBlock::fused(const at::Tensor& x) const {
  const auto device = x.device().type();
  if ((!x.is_cpu() && !x.is_cuda()) || (options_.drop_rate > 0 && is_training())) return {};
  const bool trains =
      std::all_of(layers_.begin(), layers_.end(), [](const auto& l) { return l->all_train(); });
  const bool evaluates =
      std::all_of(layers_.begin(), layers_.end(), [](const auto& l) { return l->none_train(); });
  if (!trains && (x.is_cuda() || !evaluates || differentiated(x))) return {};

  const auto input = at::autocast::is_autocast_enabled(device) && x.scalar_type() != at::kDouble
                         ? x.to(at::autocast::get_autocast_dtype(device))
                         : x;
  std::vector<LayerModules> modules;
  std::vector<LayerTensors> tensors;
  for (const auto& layer : layers_) {
    modules.push_back(layer->modules());
    tensors.push_back(modules.back().tensors());
  }
  constexpr BatchNormRule rule{};  // BatchNorm2d's defaults, which the layers have
  if (x.is_cuda()) {
    if (!gpu::can_fuse(input, tensors)) return {};
    const auto* kernels = gpu::trusted_cuda_kernels(input);
    if (!kernels) return {};
    return {gpu::block_training(input, tensors, rule, *kernels)};
  }
  if (!can_fuse(input, tensors)) return {};
  return trains ? fused_block_training(input, tensors, rule)
                : Features{fused_block_inference(input, modules)};
}

bool DenseBlock::differentiated(const at::Tensor& x) const {
  if (!at::GradMode::is_enabled()) return false;
  const auto own = parameters();
  return x.requires_grad() ||
         std::any_of(own.begin(), own.end(), [](const auto& p) { return p.requires_grad(); });
}

}  // namespace densenet
