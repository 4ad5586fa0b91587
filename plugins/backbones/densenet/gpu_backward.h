// A dense block's way back on a GPU: see gpu_block.h.
#pragma once

#include <array>
#include <utility>

#include "gpu_launcher.h"

namespace densenet::gpu {

/// Each layer from the last one on, then finished() for the block's input.
template <typename T>
class Backward {
 public:
  using A = Accumulate<T>;

  /// `gradient`: of the output; becomes the buffer that all layers add to.
  Backward(const PassKernels<T>& kernels, const Saved& saved, const at::Tensor& gradient)
      : launch_(kernels, saved.output),
        saved_(saved),
        total_(gradient),
        taken_(launch_.zeros({2, gradient.size(1)})) {}

  /// The finished gradient of the features [at, at + channels).
  at::Tensor finished(std::int64_t at, std::int64_t channels) const {
    const auto out = empty_map(total_, channels);
    const auto& statistics = saved_.statistics;
    launch_.over_map(
        launch_.kernels.finish_gradient,
        {rows_of<const T>(total_).from(0, at), rows_of<const T>(saved_.output).from(0, at),
         array<A>(statistics, 0) + at, array<A>(statistics, 2) + at, array<A>(taken_, 0) + at,
         array<A>(taken_, 1) + at, rows_of<T>(out)},
        channels);
    return out;
  }

  /// The gradients of a layer's parameters; of a convolution's weight where it is `wanted`.
  std::vector<at::Tensor> layer(const SavedLayer& kept, std::array<bool, 2> wanted) {
    const std::int64_t seen = kept.outer.size(1), width = kept.inner.size(1);
    const auto numbers = [&](std::int64_t channels) { return launch_.numbers({channels}); };
    std::vector<at::Tensor> of{numbers(seen),  numbers(seen),  {},
                               numbers(width), numbers(width), {}};
    const auto of_narrow = narrow_gradient(kept, wanted[1], of);
    const auto norm = norm1(kept);
    const auto [wide, of_weight1] =
        convolved_back(of_narrow, launch_.normalised(saved_.output, seen, norm.scale, norm.shift),
                       kept.weight1, 0, wanted[0]);
    of[2] = of_weight1;
    const auto sums = launch_.sums(
        launch_.kernels.relu_gradient,
        {rows_of<const T>(wide), rows_of<const T>(saved_.output), norm, rows_of<T>(total_)}, seen);
    launch_.over_channels(launch_.kernels.settle_gradient,
                          {launch_.rows, norm.scale, /*add=*/true, array<A>(taken_, 0),
                           array<A>(taken_, 1), elements<A>(of[0]), elements<A>(of[1])},
                          sums, 0);
    return of;
  }

 private:
  Norm<A> norm1(const SavedLayer& kept) const {
    return {array<A>(kept.outer, 0), array<A>(kept.outer, 1), array<A>(saved_.statistics, 0),
            array<A>(saved_.statistics, 2)};
  }
  static Norm<A> norm2(const SavedLayer& kept) {
    return {array<A>(kept.inner, 3), array<A>(kept.inner, 4), array<A>(kept.inner, 0),
            array<A>(kept.inner, 2)};
  }

  /// Of a convolution's input and weight.
  static std::pair<at::Tensor, at::Tensor> convolved_back(const at::Tensor& gradient,
                                                          const at::Tensor& input,
                                                          const at::Tensor& weight,
                                                          std::int64_t padding, bool wanted) {
    const auto [of_input, of_weight, no_bias] = at::convolution_backward(
        gradient, input, weight, c10::nullopt, {1, 1}, {padding, padding}, {1, 1},
        /*transposed=*/false, {0, 0}, 1, {true, wanted, false});
    return {of_input.contiguous(channels_last), of_weight};
  }

  /// The gradient of the 1x1 convolution's result; writes those of norm2 and of the 3x3 weight.
  at::Tensor narrow_gradient(const SavedLayer& kept, bool wanted, std::vector<at::Tensor>& of) {
    const auto& narrow = kept.narrow;
    const std::int64_t width = narrow.size(1);
    const auto norm = norm2(kept);
    const auto [flowing, of_weight2] = convolved_back(
        finished(kept.outer.size(1), kept.weight2.size(0)),
        launch_.normalised(narrow, width, norm.scale, norm.shift), kept.weight2, 1, wanted);
    of[5] = of_weight2;
    const auto sums = launch_.sums(
        launch_.kernels.relu_gradient,
        {rows_of<const T>(flowing), rows_of<const T>(narrow), norm, {nullptr, 0}}, width);
    const auto taken = launch_.numbers({2, width});
    auto *constant = array<A>(taken, 0), *slope = array<A>(taken, 1);
    launch_.over_channels(launch_.kernels.settle_gradient,
                          {launch_.rows, norm.scale, /*add=*/false, constant, slope,
                           elements<A>(of[3]), elements<A>(of[4])},
                          sums, 0);
    const auto out = empty_map(narrow, width);
    launch_.over_map(launch_.kernels.norm_gradient,
                     {rows_of<const T>(flowing), rows_of<const T>(narrow), norm, constant, slope,
                      rows_of<T>(out)},
                     width);
    return out;
  }

  Launcher<T> launch_;
  const Saved& saved_;
  at::Tensor total_;  ///< gradient of the features, less what the constants below take away
  at::Tensor taken_;  ///< [2, C], summed over the layers: constant, slope
};

}  // namespace densenet::gpu
