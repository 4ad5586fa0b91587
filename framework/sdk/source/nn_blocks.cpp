#include <ATen/ATen.h>

#include "inference_layers.h"

namespace bcx::sdk {
namespace {

at::Tensor convolved(const Conv2d& conv, const BatchNorm2d& norm, const at::Tensor& x,
                     Activation activation) {
  if (auto y = inferred(conv, &norm, x, activation); y.defined()) return y;
  return activate(norm.forward(conv.forward(x)), activation);
}

template <typename Layer>
at::Tensor activated(const Layer& layer, const at::Tensor& x, Activation activation) {
  if (auto y = inferred(layer, x, activation); y.defined()) return y;
  return activate(layer.forward(x), activation);
}

}  // namespace

ConvNormActivation::ConvNormActivation(const Conv2dOptions& convolution,
                                       const BatchNormOptions& normalization, Activation activation)
    : convolution_(add<Conv2d>(*this, "0", convolution)),
      normalization_(add<BatchNorm2d>(*this, "1", convolution.out, normalization)),
      activation_(activation) {}

at::Tensor ConvNormActivation::forward(const at::Tensor& x) const {
  return convolved(*convolution_, *normalization_, x, activation_);
}

ConvNorm::ConvNorm(torch::nn::Module& parent, const std::string& conv_name,
                   const std::string& norm_name, const Conv2dOptions& convolution,
                   const BatchNormOptions& normalization)
    : conv(add<Conv2d>(parent, conv_name, convolution)),
      norm(add<BatchNorm2d>(parent, norm_name, convolution.out, normalization)) {}

at::Tensor ConvNorm::forward(const at::Tensor& x, Activation activation) const {
  return convolved(*conv, *norm, x, activation);
}

SqueezeExcitation::SqueezeExcitation(const SqueezeExcitationOptions& options)
    : reduce_(add<Conv2d>(
          *this, options.reduce_name,
          Conv2dOptions{.in = options.channels, .out = options.squeezed, .bias = true})),
      expand_(add<Conv2d>(
          *this, options.expand_name,
          Conv2dOptions{.in = options.squeezed, .out = options.channels, .bias = true})),
      activation_(options.activation),
      gate_(options.gate) {}

at::Tensor SqueezeExcitation::forward(const at::Tensor& x) const {
  const auto mean = at::adaptive_avg_pool2d(x, {1, 1});
  return x * activated(*expand_, activated(*reduce_, mean, activation_), gate_);
}

Mlp::Mlp(std::int64_t channels, std::int64_t hidden, double dropout)
    : widen_(add<Linear>(*this, "0", channels, hidden)),
      narrow_(add<Linear>(*this, "3", hidden, channels)),
      dropout_(dropout) {
  const at::NoGradGuard no_grad;
  for (auto* linear : {widen_.get(), narrow_.get()}) {
    initialize_glorot(*linear);
    linear->bias.normal_(0.0, 1e-6);
  }
}

at::Tensor Mlp::forward(const at::Tensor& x, ModelContext& context) const {
  const auto hidden = activated(*widen_, x, Activation::gelu);
  const auto y = narrow_->forward(dropout(hidden, dropout_, is_training(), context));
  return dropout(y, dropout_, is_training(), context);
}

DropoutLinear::DropoutLinear(std::int64_t channels, double dropout)
    : linear_(add<Linear>(*this, "1", channels, kImageNetClasses)), dropout_(dropout) {}

at::Tensor DropoutLinear::forward(const at::Tensor& pooled, ModelContext& context) const {
  return linear_->forward(dropout(pooled, dropout_, is_training(), context));
}

at::Tensor global_average(const at::Tensor& map) {
  return map.mean({2, 3});
}

}  // namespace bcx::sdk
