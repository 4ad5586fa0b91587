#include "bcx/sdk/nn.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "inference_layers.h"

namespace bcx::sdk {
namespace {

std::int64_t symmetric_padding(const Conv2dOptions& options) {
  return options.padding >= 0 ? options.padding : (options.kernel - 1) / 2 * options.dilation;
}

/// Zeros that SAME adds to a side of `size` pixels, before and after together.
std::int64_t same_padding(std::int64_t size, const Conv2dOptions& options) {
  const std::int64_t outputs = (size + options.stride - 1) / options.stride;
  const std::int64_t reach =
      (outputs - 1) * options.stride + (options.kernel - 1) * options.dilation + 1;
  return std::max<std::int64_t>(reach - size, 0);
}

at::Tensor uniform_parameter(at::IntArrayRef shape, std::int64_t fan_in) {
  const double bound = fan_in > 0 ? 1.0 / std::sqrt(static_cast<double>(fan_in)) : 0.0;
  return at::empty(shape).uniform_(-bound, bound);
}

}  // namespace

PaddedInput padded_input(const Conv2dOptions& options, const at::Tensor& x) {
  if (options.padding_mode == Padding::symmetric) {
    const std::int64_t padding = symmetric_padding(options);
    return {x, padding, padding};
  }
  const std::int64_t vertical = same_padding(x.size(2), options);
  const std::int64_t horizontal = same_padding(x.size(3), options);
  // An even number of zeros is the convolution's own padding; an odd one costs a copy.
  if (vertical % 2 == 0 && horizontal % 2 == 0) return {x, vertical / 2, horizontal / 2};
  return {at::constant_pad_nd(x, {horizontal / 2, horizontal - horizontal / 2, vertical / 2,
                                  vertical - vertical / 2}),
          0, 0};
}

std::int64_t make_divisible(double value, std::int64_t divisor) {
  const auto steps = static_cast<std::int64_t>(value + static_cast<double>(divisor) / 2) / divisor;
  const std::int64_t rounded = std::max(divisor, steps * divisor);
  return static_cast<double>(rounded) < 0.9 * value ? rounded + divisor : rounded;
}

at::Tensor activate(at::Tensor x, Activation activation) {
  switch (activation) {
    case Activation::none:
      return x;
    case Activation::relu:
      return x.relu_();
    case Activation::relu6:
      return at::hardtanh_(x, 0.0, 6.0);
    // Their gradients need the input: in place, autograd would copy it first.
    case Activation::hardswish:
      return at::hardswish(x);
    case Activation::silu:
      return at::silu(x);
    case Activation::gelu:
      return at::gelu(x);
    case Activation::sigmoid:
      return at::sigmoid(x);
    case Activation::hardsigmoid:
      return at::hardsigmoid(x);
  }
  return x;
}

Conv2d::Conv2d(const Conv2dOptions& options) : options_(options) {
  const auto& o = options_;
  const std::int64_t fan_in = o.in / o.groups * o.kernel * o.kernel;
  weight = register_parameter(
      "weight", uniform_parameter({o.out, o.in / o.groups, o.kernel, o.kernel}, fan_in));
  if (o.bias) bias = register_parameter("bias", uniform_parameter({o.out}, fan_in));
}

at::Tensor Conv2d::forward(const at::Tensor& x) const {
  if (auto y = inferred(*this, x, Activation::none); y.defined()) return y;
  const auto& o = options_;
  const auto input = padded_input(o, x);
  return at::conv2d(input.x, weight, bias, {o.stride, o.stride},
                    at::IntArrayRef{input.vertical, input.horizontal}, {o.dilation, o.dilation},
                    o.groups);
}

BatchNorm2d::BatchNorm2d(std::int64_t channels, const BatchNormOptions& options)
    : options_(options) {
  weight = register_parameter("weight", at::ones({channels}));
  bias = register_parameter("bias", at::zeros({channels}));
  running_mean = register_buffer("running_mean", at::zeros({channels}));
  running_var = register_buffer("running_var", at::ones({channels}));
}

at::Tensor BatchNorm2d::forward(const at::Tensor& x) const {
  return at::batch_norm(x, weight, bias, running_mean, running_var, is_training(),
                        options_.momentum, options_.eps, at::globalContext().userEnabledCuDNN());
}

LayerNorm::LayerNorm(std::int64_t channels, double eps) : eps_(eps) {
  weight = register_parameter("weight", at::ones({channels}));
  bias = register_parameter("bias", at::zeros({channels}));
}

at::Tensor LayerNorm::forward(const at::Tensor& x) const {
  return at::layer_norm(x, weight.sizes(), weight, bias, eps_);
}

Linear::Linear(std::int64_t in, std::int64_t out, bool has_bias) {
  weight = register_parameter("weight", uniform_parameter({out, in}, in));
  if (has_bias) bias = register_parameter("bias", uniform_parameter({out}, in));
}

at::Tensor Linear::forward(const at::Tensor& x) const {
  if (auto y = inferred(*this, x, Activation::none); y.defined()) return y;
  return at::linear(x, weight, bias);
}

}  // namespace bcx::sdk
