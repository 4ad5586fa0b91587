// A dense block on a CPU as one operation: all features in one buffer, batch statistics taken once
// for each feature, and no activation or gradient of a normalisation in memory.
//
// The layers of a dense block normalise the same features again and again, each with a scale and
// shift of its own. Mean and variance of a feature do not depend on the layer that reads it, so
// they are computed when it is produced. On the way back, the gradient of batch normalisation,
//
//     dx = scale * (d - mean(d) - normalised * mean(d * normalised)),
//
// splits into scale * d, added to one gradient buffer while a layer's convolution is on it, and two
// constants per channel that are summed over the layers and subtracted once, before the feature's
// own layer is reached.
#pragma once

#include <ATen/core/Tensor.h>
#include <bcx/sdk/nn.h>

#include <cstdint>
#include <vector>

#include "map_rows.h"

namespace densenet {

/// One layer's tensors. Weights are float32 (float64 with float64 features); on a GPU those of
/// convolutions may have the features' type.
struct LayerTensors {
  at::Tensor norm1_weight, norm1_bias, conv1_weight;  ///< [C], [C], [width, C, 1, 1]
  at::Tensor norm2_weight, norm2_bias, conv2_weight;  ///< [width], [width], [growth, width, 3, 3]
  at::Tensor running_mean1, running_var1, running_mean2, running_var2;
};

/// One layer's modules.
struct LayerModules {
  const bcx::sdk::BatchNorm2d& norm1;
  const bcx::sdk::Conv2d& conv1;
  const bcx::sdk::BatchNorm2d& norm2;
  const bcx::sdk::Conv2d& conv2;

  LayerTensors tensors() const;
};

/// Whether fused_block_*() can do with these: see can_fuse() in map_rows.h.
bool can_fuse(const at::Tensor& x, const std::vector<LayerTensors>& layers);

/// Channels-last, and what is known of them.
struct Features {
  at::Tensor map;
  Statistics statistics = {};
};

/// Training: x [N, C, H, W] to [N, C + layers * growth, H, W], channels-last. Updates the running
/// statistics. Differentiable once.
Features fused_block_training(const at::Tensor& x, const std::vector<LayerTensors>& layers,
                              const BatchNormRule& rule);

/// Evaluation with the running statistics, without gradients. Inside an InferenceScope
/// (bcx/sdk/inference.h) weights are rounded and laid out once, else anew in each call.
at::Tensor fused_block_inference(const at::Tensor& x, const std::vector<LayerModules>& layers);

}  // namespace densenet
