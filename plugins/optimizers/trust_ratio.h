// How far a layer-wise optimizer lengthens or shortens the step of a parameter.
#pragma once

#include <ATen/ATen.h>

namespace optimizers {

/// `ratio` where both norms are above 0, and 1 elsewhere. All [number of segments].
inline at::Tensor trust_ratio(const at::Tensor& size, const at::Tensor& step,
                              const at::Tensor& ratio) {
  return at::where(size.gt(0.0).logical_and(step.gt(0.0)), ratio, at::ones_like(ratio));
}

}  // namespace optimizers
