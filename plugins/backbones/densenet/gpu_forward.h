// A dense block's way forward on a GPU: see gpu_block.h.
#pragma once

#include "fused_block.h"
#include "gpu_launcher.h"

namespace densenet::gpu {

/// x channels-last, then each layer in its order; `channels` are those of the output.
template <typename T>
class Forward {
 public:
  using A = Accumulate<T>;

  Forward(const PassKernels<T>& kernels, const at::Tensor& x, std::int64_t channels,
          const BatchNormRule& rule)
      : launch_(kernels, x), rule_(rule), centre_(x.size(2) / 2 * x.size(3) + x.size(3) / 2) {
    // Zero, for the last layer's features: nothing normalises them here, and Backward multiplies
    // their statistics by zero.
    saved_ = {empty_map(x, channels), launch_.zeros({3, channels}), {}};
    append(x, 0);
  }

  /// `seen`: the features that the layer reads.
  void layer(const LayerTensors& tensors, std::int64_t seen) {
    const std::int64_t width = tensors.conv1_weight.size(0);
    SavedLayer kept{{},
                    launch_.numbers({2, seen}),
                    launch_.numbers({5, width}),
                    rounded(tensors.conv1_weight),
                    rounded(tensors.conv2_weight)};
    auto *scale = array<A>(kept.outer, 0), *shift = array<A>(kept.outer, 1);
    launch_.over_channels(
        launch_.kernels.prepare_norm,
        {launch_.rows, fresh_, rows_of<const T>(saved_.output).from(centre_, fresh_).data,
         rule_.eps, rule_.momentum, statistics(saved_.statistics),
         elements<A>(tensors.norm1_weight), elements<A>(tensors.norm1_bias), scale, shift,
         elements<A>(tensors.running_mean1), elements<A>(tensors.running_var1)},
        fresh_sums_, fresh_);
    kept.narrow = convolved(launch_.normalised(saved_.output, seen, scale, shift), kept.weight1, 0);
    append(convolved(narrow_activations(tensors, kept), kept.weight2, 1), seen);
    saved_.layers.push_back(std::move(kept));
  }

  const Saved& saved() const { return saved_; }

 private:
  static StatisticArrays<A> statistics(const at::Tensor& arrays) {
    return {array<A>(arrays, 0), array<A>(arrays, 1), array<A>(arrays, 2)};
  }

  at::Tensor rounded(const at::Tensor& weight) const {
    return weight.to(saved_.output.scalar_type(), /*non_blocking=*/false, /*copy=*/false,
                     channels_last);
  }

  static at::Tensor convolved(const at::Tensor& map, const at::Tensor& weight,
                              std::int64_t padding) {
    return at::conv2d(map, weight, {}, at::IntArrayRef{1, 1}, at::IntArrayRef{padding, padding})
        .contiguous(channels_last);
  }

  void append(const at::Tensor& map, std::int64_t at) {
    const auto from = rows_of<const T>(map);
    fresh_ = at;
    fresh_sums_ = launch_.sums(
        launch_.kernels.measure,
        {from, from.from(centre_).data, rows_of<T>(saved_.output).from(0, at)}, map.size(1));
  }

  at::Tensor narrow_activations(const LayerTensors& tensors, const SavedLayer& kept) const {
    const auto map = rows_of<const T>(kept.narrow);
    const std::int64_t width = kept.narrow.size(1);
    const T* pivot = map.from(centre_).data;
    const auto sums = launch_.sums(launch_.kernels.measure, {map, pivot, {nullptr, 0}}, width);
    auto *scale = array<A>(kept.inner, 3), *shift = array<A>(kept.inner, 4);
    launch_.over_channels(
        launch_.kernels.prepare_norm,
        {launch_.rows, 0, pivot, rule_.eps, rule_.momentum, statistics(kept.inner),
         elements<A>(tensors.norm2_weight), elements<A>(tensors.norm2_bias), scale, shift,
         elements<A>(tensors.running_mean2), elements<A>(tensors.running_var2)},
        sums, 0);
    return launch_.normalised(kept.narrow, width, scale, shift);
  }

  Launcher<T> launch_;
  BatchNormRule rule_;
  std::int64_t centre_;  ///< a pixel amid the first picture; at its edge, zeros have been read
  Saved saved_;
  std::int64_t fresh_ = 0;  ///< features from here on were appended last
  at::Tensor fresh_sums_;   ///< of them
};

}  // namespace densenet::gpu
