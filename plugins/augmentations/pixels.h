// What the photometric augmentations share. Each plugin file compiles a copy of its own.
//
// A picture must come out the same, to the bit, in any batch and on any number of threads. A kernel
// with a product and a sum in one (addcmul, add with alpha, lerp) may round differently in the
// vectorised and the scalar part of its loop, and batch size and threads decide which part a pixel
// is in. So products and sums are kernels of their own here, and sums over pixels are exact.
#pragma once

#include <ATen/ATen.h>

namespace pixels {

/// 0.2989 R + 0.587 G + 0.114 B, torchvision's weights: [N, 3, H, W] -> [N, 1, H, W].
inline at::Tensor grey(const at::Tensor& images) {
  return (images.narrow(1, 0, 1) * 0.2989)
      .add_(images.narrow(1, 1, 1) * 0.587)
      .add_(images.narrow(1, 2, 1) * 0.114);
}

/// Mean over height and width of values in [0, 1], [N, C, 1, 1]; summed in fixed point, so that it
/// is the same whatever the order of summation.
inline at::Tensor exact_mean(const at::Tensor& values) {
  constexpr double unit = 0x1.0p24;
  const auto count = static_cast<double>(values.size(2) * values.size(3));
  const auto sum = (values * unit).round_().to(at::kLong).sum({2, 3}, true);
  return sum.to(at::kDouble).mul_(1.0 / (unit * count)).to(values.scalar_type());
}

/// Uniform numbers of [0, 1) moved to [low, high).
inline at::Tensor between(const at::Tensor& uniform, double low, double high) {
  return uniform * (high - low) + low;
}

/// One number for each sample, [N], in the shape that broadcasts over its picture.
inline at::Tensor per_picture(const at::Tensor& values) {
  return values.view({-1, 1, 1, 1});
}

}  // namespace pixels
