// A dense block: every layer sees the features of all layers before it.
#pragma once

#include <bcx/sdk/model_context.h>
#include <bcx/sdk/nn.h>

#include <vector>

#include "fused_block.h"

namespace densenet {

struct DenseBlockOptions {
  std::int64_t layers = 0;
  std::int64_t channels = 0;    ///< of the input
  std::int64_t growth = 0;      ///< features that each layer adds
  std::int64_t bottleneck = 4;  ///< width of the 1x1 convolution, in growths
  double drop_rate = 0.0;       ///< dropout on each layer's new features
  bool fused = true;            ///< as one operation (fused_block.h, gpu_block.h) where possible
};

/// Batch normalisation, relu, 1x1 convolution, batch normalisation, relu, 3x3 convolution: the
/// "pre-activation" bottleneck DenseNet-B. x [N, C, H, W] to the new features [N, growth, H, W].
class DenseLayer : public torch::nn::Module {
 public:
  DenseLayer(std::int64_t channels, const DenseBlockOptions& options);
  at::Tensor forward(const at::Tensor& x, bcx::sdk::ModelContext& context) const;
  LayerModules modules() const { return {*norm1_, *conv1_, *norm2_, *conv2_}; }
  /// Of its normalisations; a frozen one runs in evaluation mode.
  bool all_train() const { return norm1_->is_training() && norm2_->is_training(); }
  bool none_train() const { return !norm1_->is_training() && !norm2_->is_training(); }

 private:
  std::shared_ptr<bcx::sdk::BatchNorm2d> norm1_;
  std::shared_ptr<bcx::sdk::Conv2d> conv1_;
  std::shared_ptr<bcx::sdk::BatchNorm2d> norm2_;
  std::shared_ptr<bcx::sdk::Conv2d> conv2_;
  double drop_rate_;
};

/// x [N, channels, H, W] to [N, channels + layers * growth, H, W]; children denselayer1, ...
class DenseBlock : public torch::nn::Module {
 public:
  explicit DenseBlock(const DenseBlockOptions& options);
  Features forward(const at::Tensor& x, bcx::sdk::ModelContext& context) const;

 private:
  at::Tensor plain(at::Tensor x, bcx::sdk::ModelContext& context) const;
  /// Undefined where the fused operation does not serve: with dropout, with normalisations that
  /// are partly frozen, or frozen and to be differentiated through; on a GPU in evaluation, and
  /// where its kernels were not built or fail their trial (gpu_trial.h).
  Features fused(const at::Tensor& x) const;
  /// Whether gradients flow through a forward pass of x.
  bool differentiated(const at::Tensor& x) const;

  std::vector<std::shared_ptr<DenseLayer>> layers_;
  DenseBlockOptions options_;
};

}  // namespace densenet
