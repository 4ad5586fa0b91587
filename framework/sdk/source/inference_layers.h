// Layers inside an InferenceScope: one oneDNN operation for convolution, normalisation and
// activation, with weights that are folded, rounded and laid out once.
#pragma once

#include "bcx/sdk/nn.h"

namespace bcx::sdk {

/// A convolution's input and the zeros that the operation itself adds above and below, left and
/// right.
struct PaddedInput {
  at::Tensor x;
  std::int64_t vertical, horizontal;
};
PaddedInput padded_input(const Conv2dOptions& options, const at::Tensor& x);

/// activation(norm(conv(x))), without a norm if that is null. Undefined where the plain layers have
/// to do it: outside of a scope, on a GPU, with batch statistics, in types other than float64,
/// float32 and (where the processor multiplies it) bfloat16.
///
/// Folded, with k = norm.weight / sqrt(norm.running_var + eps) per output channel, are the weight
/// conv.weight * k and the bias norm.bias + (conv.bias - norm.running_mean) * k; k and the bias are
/// computed in float64 (Jacob et al. 2018, section 3.2).
at::Tensor inferred(const Conv2d& conv, const BatchNorm2d* norm, const at::Tensor& x,
                    Activation activation);
inline at::Tensor inferred(const Conv2d& conv, const at::Tensor& x, Activation activation) {
  return inferred(conv, nullptr, x, activation);
}

/// activation(linear(x)), likewise; float64 is left to the plain layer.
at::Tensor inferred(const Linear& linear, const at::Tensor& x, Activation activation);

}  // namespace bcx::sdk
