// Layers that published image networks share, for authors of backbones.
//
// Child and parameter names are part of the contract: they are what torchvision's and timm's weight
// files say. Layers are held by std::shared_ptr and registered with add():
//
//     struct Stem : torch::nn::Module {
//       std::shared_ptr<Conv2d> conv = add<Conv2d>(*this, "conv", Conv2dOptions{.in = 3, .out = 64,
//       .kernel = 7}); std::shared_ptr<BatchNorm2d> norm = add<BatchNorm2d>(*this, "norm", 64);
//       at::Tensor forward(const at::Tensor& x) { return activate(norm->forward(conv->forward(x)),
//       Activation::relu); }
//     };
//
// Why not torch::nn's own: theirs cost seconds of compile time a file, count batches with a kernel
// per layer and step, and know no TensorFlow padding. Arithmetic is the same ATen call.
#pragma once

#include <torch/nn/module.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bcx/sdk/model_context.h"

namespace bcx::sdk {

/// Classes of the published classifiers: ImageNet-1k (Russakovsky et al. 2015).
inline constexpr std::int64_t kImageNetClasses = 1000;

/// Makes a layer and registers it with its parent under `name`.
template <typename Layer, typename... Arguments>
std::shared_ptr<Layer> add(torch::nn::Module& parent, const std::string& name,
                           Arguments&&... arguments) {
  return parent.register_module(name,
                                std::make_shared<Layer>(std::forward<Arguments>(arguments)...));
}

/// The same under the parent's next number, `0`, `1`, ...: torch.nn.Sequential's names.
template <typename Layer, typename... Arguments>
std::shared_ptr<Layer> append(torch::nn::Module& parent, Arguments&&... arguments) {
  return add<Layer>(parent, std::to_string(parent.children().size()),
                    std::forward<Arguments>(arguments)...);
}

/// `value` rounded to a multiple of `divisor`, but never below 90 % of it: the channel rule of
/// MobileNet and EfficientNet (torchvision's and timm's `_make_divisible`).
std::int64_t make_divisible(double value, std::int64_t divisor = 8);

// --- Activations
// ----------------------------------------------------------------------------------

enum class Activation {
  none,
  relu,
  relu6,      ///< min(max(x, 0), 6)
  hardswish,  ///< x * relu6(x + 3) / 6 (Howard et al. 2019)
  silu,       ///< x * sigmoid(x)
  gelu,       ///< x * Phi(x), exact
  sigmoid,
  hardsigmoid,  ///< relu6(x + 3) / 6
};

/// The activation of x, any shape. relu and relu6 work in place on x: pass a tensor that nothing
/// else needs, such as a normalisation's output.
at::Tensor activate(at::Tensor x, Activation activation);

// --- Convolution, normalisation, linear
// -----------------------------------------------------------

/// How a convolution is padded.
enum class Padding {
  /// Zeros on all four sides, (kernel - 1) / 2 * dilation unless told: torchvision's rule.
  symmetric,
  /// TensorFlow's SAME: the output has ceil(size / stride) pixels, an odd zero goes right and
  /// below.
  /// Depends on the input's size. timm's `tf_` networks need it.
  same,
};

struct Conv2dOptions {
  std::int64_t in = 0;   ///< channels
  std::int64_t out = 0;  ///< channels
  std::int64_t kernel = 1;
  std::int64_t stride = 1;
  std::int64_t dilation = 1;
  std::int64_t groups = 1;
  std::int64_t padding =
      -1;  ///< pixels a side; -1: (kernel - 1) / 2 * dilation; unused with `same`
  Padding padding_mode = Padding::symmetric;
  bool bias = false;
};

/// x [N, in, H, W] to [N, out, h, w]. Parameters `weight` [out, in / groups, k, k] and `bias`
/// [out], drawn from U(-1/sqrt(fan_in), 1/sqrt(fan_in)), PyTorch's default.
class Conv2d : public torch::nn::Module {
 public:
  explicit Conv2d(const Conv2dOptions& options);
  at::Tensor forward(const at::Tensor& x) const;
  const Conv2dOptions& options() const { return options_; }

  at::Tensor weight;
  at::Tensor bias;  ///< undefined without one

 private:
  Conv2dOptions options_;
};

struct BatchNormOptions {
  double eps = 1e-5;      ///< added to the variance
  double momentum = 0.1;  ///< running <- (1 - momentum) * running + momentum * batch
};

/// Batch normalisation over [N, H, W] of each channel (Ioffe & Szegedy 2015): parameters `weight`
/// (1) and `bias` (0), buffers `running_mean` (0) and `running_var` (1), all [channels]. There is
/// no `num_batches_tracked` buffer: the host counts steps and writes the entry when it saves.
class BatchNorm2d : public torch::nn::Module {
 public:
  explicit BatchNorm2d(std::int64_t channels, const BatchNormOptions& options = {});
  at::Tensor forward(const at::Tensor& x) const;
  const BatchNormOptions& options() const { return options_; }

  at::Tensor weight;
  at::Tensor bias;
  at::Tensor running_mean;
  at::Tensor running_var;

 private:
  BatchNormOptions options_;
};

/// Layer normalisation over the last dimension (Ba, Kiros, Hinton 2016): x [..., channels], same
/// shape out. Parameters `weight` (1) and `bias` (0), both [channels].
class LayerNorm : public torch::nn::Module {
 public:
  explicit LayerNorm(std::int64_t channels, double eps = 1e-5);
  at::Tensor forward(const at::Tensor& x) const;

  at::Tensor weight;
  at::Tensor bias;

 private:
  double eps_;
};

/// x [..., in] to [..., out]: x W^T + b. Parameters `weight` [out, in] and, with `has_bias`, `bias`
/// [out], drawn from U(-1/sqrt(in), 1/sqrt(in)), PyTorch's default.
class Linear : public torch::nn::Module {
 public:
  Linear(std::int64_t in, std::int64_t out, bool has_bias = true);
  at::Tensor forward(const at::Tensor& x) const;

  at::Tensor weight;
  at::Tensor bias;  ///< undefined without one
};

// --- Blocks
// ---------------------------------------------------------------------------------------

/// Convolution without bias, batch normalisation, activation: torchvision's Conv2dNormActivation,
/// children `0` (convolution) and `1` (normalisation).
class ConvNormActivation : public torch::nn::Module {
 public:
  ConvNormActivation(const Conv2dOptions& convolution, const BatchNormOptions& normalization,
                     Activation activation);
  at::Tensor forward(const at::Tensor& x) const;

 private:
  std::shared_ptr<Conv2d> convolution_;
  std::shared_ptr<BatchNorm2d> normalization_;
  Activation activation_;
};

/// The same as two children of the parent, whose names the caller chooses (ResNet's `conv1` and
/// `bn1`, timm's `conv_pw` and `bn1`).
struct ConvNorm {
  std::shared_ptr<Conv2d> conv;
  std::shared_ptr<BatchNorm2d> norm;

  ConvNorm(torch::nn::Module& parent, const std::string& conv_name, const std::string& norm_name,
           const Conv2dOptions& convolution, const BatchNormOptions& normalization = {});
  at::Tensor forward(const at::Tensor& x, Activation activation = Activation::none) const;
};

struct SqueezeExcitationOptions {
  std::int64_t channels = 0;
  std::int64_t squeezed = 0;  ///< channels of the bottleneck
  Activation activation = Activation::relu;
  Activation gate = Activation::sigmoid;
  /// torchvision's child names; timm's are conv_reduce and conv_expand.
  std::string reduce_name = "fc1";
  std::string expand_name = "fc2";
};

/// x * gate(expand(activation(reduce(mean of x over H and W)))), channel by channel (Hu et al.
/// 2018); reduce and expand are 1x1 convolutions with bias. x [N, C, H, W], same shape out.
class SqueezeExcitation : public torch::nn::Module {
 public:
  explicit SqueezeExcitation(const SqueezeExcitationOptions& options);
  at::Tensor forward(const at::Tensor& x) const;

 private:
  std::shared_ptr<Conv2d> reduce_;
  std::shared_ptr<Conv2d> expand_;
  Activation activation_;
  Activation gate_;
};

/// A transformer's two layers, torchvision's MLP: linear, gelu, linear back, children `0` and `3`.
/// Weights are drawn from U(-b, b) with b = sqrt(6 / (in + out)) (Glorot & Bengio 2010), biases
/// from N(0, 1e-12).
class Mlp : public torch::nn::Module {
 public:
  Mlp(std::int64_t channels, std::int64_t hidden, double dropout);
  /// x [..., channels], same shape out. Dropout follows each of the two layers.
  at::Tensor forward(const at::Tensor& x, ModelContext& context) const;

 private:
  std::shared_ptr<Linear> widen_;
  std::shared_ptr<Linear> narrow_;
  double dropout_;
};

/// A published classifier of dropout and one layer, torchvision's Sequential(Dropout, Linear):
/// child `1`. pooled [N, channels] to logits [N, 1000].
class DropoutLinear : public torch::nn::Module {
 public:
  DropoutLinear(std::int64_t channels, double dropout);
  at::Tensor forward(const at::Tensor& pooled, ModelContext& context) const;
  Linear& linear() { return *linear_; }

 private:
  std::shared_ptr<Linear> linear_;
  double dropout_;
};

/// Blocks one after another, children `0`, `1`, ...: a torch.nn.Sequential of one kind. A block's
/// forward takes the context or does without.
template <typename Block>
class Sequence : public torch::nn::Module {
 public:
  template <typename... Arguments>
  void append(Arguments&&... arguments) {
    blocks_.push_back(sdk::append<Block>(*this, std::forward<Arguments>(arguments)...));
  }

  at::Tensor forward(at::Tensor x, ModelContext& context) const {
    for (const auto& block : blocks_) {
      if constexpr (requires { block->forward(x, context); })
        x = block->forward(x, context);
      else
        x = block->forward(x);
    }
    return x;
  }

  const std::vector<std::shared_ptr<Block>>& blocks() const { return blocks_; }

 private:
  std::vector<std::shared_ptr<Block>> blocks_;
};

/// Mean of a map [N, C, h, w] over its pixels: [N, C].
at::Tensor global_average(const at::Tensor& map);

// --- Initialisation
// ------------------------------------------------------------------------------- All draw from
// PyTorch's default generator, which the host seeds, in the order of registration.

/// What a variance is divided by: a kernel's inputs, its outputs (as torchvision counts them: all
/// output channels times the kernel's area), or its outputs per group (timm's, TensorFlow's).
enum class Fan { in, out, out_per_group };

/// Every Conv2d inside `module`: weights from N(0, 2 / fan) (He et al. 2015), biases 0.
void initialize_convolutions(torch::nn::Module& module, Fan fan);

/// The same from N(0, deviation^2).
void initialize_convolutions(torch::nn::Module& module, double deviation);

/// Every Linear inside `module`: weights from N(0, deviation^2), biases 0.
void initialize_linears(torch::nn::Module& module, double deviation);

/// Weights from N(0, deviation^2), bias 0.
void initialize_normal(Linear& linear, double deviation);

/// Weights from U(-bound, bound), bias 0.
void initialize_uniform(Linear& linear, double bound);

/// Weights from U(-b, b) with b = sqrt(6 / (in + out)) (Glorot & Bengio 2010), bias 0.
void initialize_glorot(Linear& linear);

}  // namespace bcx::sdk
