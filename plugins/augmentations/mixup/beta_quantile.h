// The quantile function of Beta(alpha, alpha), as a table for tensors.
#pragma once

#include <ATen/core/Tensor.h>

#include <mutex>

namespace mixup {

/// Turns uniform numbers into Beta(alpha, alpha) ones by the inverse of the distribution function:
/// one uniform number makes one draw, on any device, without waiting and without a rejection loop.
///
/// The inverse is tabulated once (Boost.Math's ibeta_inv, float64) at u = (1 - cos(pi i / cells)) /
/// 2, which is dense where it is steep, and interpolated linearly in i: for alpha from 0.01 to 100
/// within 1e-3 of the exact value, but for the outermost millionth of u. Safe to use from several
/// threads.
class BetaQuantile {
 public:
  explicit BetaQuantile(double alpha);

  /// uniform [N] float32 in [0, 1) -> [N] float32 in [0, 1], on the same device.
  at::Tensor operator()(const at::Tensor& uniform) const;

 private:
  at::Tensor table_on(at::Device device) const;

  mutable std::mutex mutex_;
  mutable at::Tensor table_;  // [cells + 1]; moves to the device that asks
};

}  // namespace mixup
