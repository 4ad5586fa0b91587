// What the ways of a dense block forward and back on a GPU (gpu_block.h) share.
#pragma once

#include <ATen/ATen.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <limits>
#include <vector>

#include "block_kernels.h"
#include "map_rows.h"

namespace densenet::gpu {

/// Of a pass that sums, at most: four for each multiprocessor of the largest GPUs.
inline constexpr std::int64_t kSumBlocks = 528;

/// What a layer keeps for the way back.
struct SavedLayer {
  at::Tensor narrow;            ///< the 1x1 convolution's result
  at::Tensor outer;             ///< of norm1, [2, C]: scale, shift
  at::Tensor inner;             ///< of norm2, [5, width]: as `statistics`, then scale, shift
  at::Tensor weight1, weight2;  ///< in the features' type
};

struct Saved {
  at::Tensor output;
  at::Tensor statistics;  ///< of the output, [3, C]: mean, variance, inverse deviation
  std::vector<SavedLayer> layers;

  std::vector<at::Tensor> list() const {
    std::vector<at::Tensor> all{output, statistics};
    for (const auto& l : layers)
      all.insert(all.end(), {l.narrow, l.outer, l.inner, l.weight1, l.weight2});
    return all;
  }
  static Saved from(const std::vector<at::Tensor>& all) {
    Saved saved{all[0], all[1], {}};
    for (std::size_t i = 2; i < all.size(); i += 5)
      saved.layers.push_back({all[i], all[i + 1], all[i + 2], all[i + 3], all[i + 4]});
    return saved;
  }
};

/// The current one, without linking what knows CUDA.
inline void* current_stream(at::Device device) {
  if (device.is_cpu()) return nullptr;
  const c10::impl::VirtualGuardImpl guard(device.type());
  return guard.getStreamNativeHandle(guard.getStream(device));
}

template <typename A>
A* array(const at::Tensor& arrays, std::int64_t row) {
  return elements<A>(arrays) + row * arrays.size(1);
}

/// Launches passes over the maps of one block, on the current stream.
template <typename T>
class Launcher {
 public:
  using A = Accumulate<T>;

  Launcher(const PassKernels<T>& kernels, const at::Tensor& map)
      : kernels(kernels),
        rows(map.numel() / map.size(1)),
        numbers_(map.options().dtype(c10::CppTypeToScalarType<A>::value)),
        stream_(current_stream(map.device())) {}

  const PassKernels<T>& kernels;
  std::int64_t rows;

  /// Not initialised.
  at::Tensor numbers(at::IntArrayRef shape) const { return at::empty(shape, numbers_); }
  at::Tensor zeros(at::IntArrayRef shape) const { return at::zeros(shape, numbers_); }

  template <typename Pass>
  void over_map(void (*kernel)(const Pass&, const Grid&, void*), const Pass& pass,
                std::int64_t channels) const {
    constexpr auto any = std::numeric_limits<std::int64_t>::max();
    kernel(pass, grid_of(rows, channels, kPack<T>, any), stream_);
  }

  /// Sums of blocks [chunks, 2, channels].
  template <typename Pass>
  at::Tensor sums(void (*kernel)(const Pass&, const Grid&, A*, void*), const Pass& pass,
                  std::int64_t channels) const {
    const Grid grid = grid_of(rows, channels, kPack<T>, kSumBlocks);
    const auto sums = numbers({grid.chunks, 2, channels});
    kernel(pass, grid, elements<A>(sums), stream_);
    return sums;
  }

  /// `sums` are of the channels from `begin` on.
  template <typename Pass>
  void over_channels(void (*kernel)(const Pass&, const Partials<A>&, std::int64_t, void*),
                     const Pass& pass, const at::Tensor& sums, std::int64_t begin) const {
    const Partials<A> partials{const_elements<A>(sums), sums.size(0), begin, sums.size(2)};
    kernel(pass, partials, begin + sums.size(2), stream_);
  }

  /// relu(map * scale + shift) of the first `channels`.
  at::Tensor normalised(const at::Tensor& map, std::int64_t channels, const A* scale,
                        const A* shift) const {
    const auto out = empty_map(map, channels);
    over_map(kernels.normalise_relu, {rows_of<const T>(map), scale, shift, rows_of<T>(out)},
             channels);
    return out;
  }

 private:
  at::TensorOptions numbers_;
  void* stream_;
};

}  // namespace densenet::gpu
