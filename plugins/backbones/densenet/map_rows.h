// Between tensors and rows: what the fused operations share.
#pragma once

#include <ATen/ATen.h>

#include <algorithm>

#include "pointwise.h"

namespace densenet {

inline constexpr auto channels_last = at::MemoryFormat::ChannelsLast;

struct BatchNormRule {
  double eps = 1e-5, momentum = 0.1;
};

/// Mean and biased variance of each feature, float64 [C]; undefined where they are not known.
struct Statistics {
  at::Tensor mean, variance;
};

/// The type whose kernels work on a tensor's elements.
template <typename T>
T* elements(const at::Tensor& tensor) {
  return static_cast<T*>(tensor.data_ptr());
}
template <typename T>
const T* const_elements(const at::Tensor& tensor) {
  return static_cast<const T*>(tensor.const_data_ptr());
}

/// A channels-last map as rows of pixels.
template <typename T>
Rows<T> rows_of(const at::Tensor& map) {
  return {elements<std::remove_const_t<T>>(map), map.size(1)};
}

template <typename Call>
auto with_type(at::ScalarType type, const Call& call) {
  if (type == at::kBFloat16) return call(Bfloat16{});
  if (type == at::kFloat) return call(float{});
  return call(double{});
}

inline at::Tensor empty_map(const at::Tensor& like, std::int64_t channels) {
  return at::empty({like.size(0), channels, like.size(2), like.size(3)}, like.options(),
                   channels_last);
}

/// Mean and biased variance from sums, into places of their own.
inline void finish_statistics(const ChannelSums& sums, std::int64_t rows, double* mean,
                              double* variance) {
  const auto n = static_cast<double>(rows);
  for (std::size_t c = 0; c < sums.first.size(); ++c) {
    mean[c] = sums.first[c] / n;
    variance[c] = std::max(0.0, sums.second[c] / n - mean[c] * mean[c]);
  }
}

/// running <- (1 - momentum) * running + momentum * batch, with the unbiased variance.
template <typename A>
void update_running(const at::Tensor& running_mean, const at::Tensor& running_var,
                    const double* mean, const double* variance, std::int64_t rows,
                    double momentum) {
  A* means = elements<A>(running_mean);
  A* variances = elements<A>(running_var);
  const double n = static_cast<double>(rows), unbiased = n / (n - 1.0);
  for (std::int64_t c = 0; c < running_mean.numel(); ++c) {
    means[c] =
        static_cast<A>((1.0 - momentum) * static_cast<double>(means[c]) + momentum * mean[c]);
    variances[c] = static_cast<A>((1.0 - momentum) * static_cast<double>(variances[c]) +
                                  momentum * variance[c] * unbiased);
  }
}

/// Of running statistics.
template <typename A>
Constants<A> running_constants(const at::Tensor& weight, const at::Tensor& bias,
                               const at::Tensor& mean, const at::Tensor& variance, double eps) {
  const auto means = mean.to(at::kDouble), variances = variance.to(at::kDouble);
  return constants(const_elements<A>(weight), const_elements<A>(bias),
                   const_elements<double>(means), const_elements<double>(variances), eps,
                   weight.numel());
}

/// A parameter's gradient from sums.
template <typename A>
at::Tensor vector_of(const std::vector<double>& values, const at::Tensor& like) {
  const auto out = at::empty_like(like);
  for (std::size_t i = 0; i < values.size(); ++i) elements<A>(out)[i] = static_cast<A>(values[i]);
  return out;
}

/// Sums over rows as means.
template <typename A>
std::vector<A> means_of(const std::vector<double>& sums, std::int64_t rows) {
  std::vector<A> result;
  for (const double sum : sums) result.push_back(static_cast<A>(sum / static_cast<double>(rows)));
  return result;
}

/// Whether the passes can work on features of this kind: on a CPU, float64, float32 or (where the
/// processor computes in it) bfloat16, channels in groups of kLane; parameters and running
/// statistics in the features' type, or float32 for bfloat16.
bool can_fuse(const at::Tensor& x, at::TensorList parameters);

}  // namespace densenet
