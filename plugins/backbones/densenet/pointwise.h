// Normalisation, relu and 1x1 convolution in one pass: activations are made a few rows at a time,
// in the cache, and never reach memory; so are the gradients that flow back through them.
#pragma once

#include <c10/core/CPUAllocator.h>

#include <cstdint>
#include <functional>
#include <vector>

#include "matrix.h"
#include "row_kernels.h"

namespace densenet {

/// Sums over all rows of a map, per channel.
struct ChannelSums {
  explicit ChannelSums(std::int64_t channels)
      : first(static_cast<std::size_t>(channels)), second(static_cast<std::size_t>(channels)) {}
  Sums view() { return {first.data(), second.data()}; }

  std::vector<double> first, second;
};

/// Neighbouring rows that one thread works on, and which thread: 0, 1, ...
struct RowBlock {
  std::int64_t begin, rows;
  int thread;
};

/// Calls `work(block, sums)` on all threads, for blocks of about `wanted` rows; `sums` are the
/// thread's own, over `channels`. Returns the sums of all threads, added in their order: equal
/// numbers of threads give equal bits.
ChannelSums for_row_blocks(std::int64_t rows, std::int64_t channels,
                           const std::function<void(const RowBlock&, Sums)>& work,
                           std::int64_t wanted = 96);
/// The most rows that a block has; even.
std::int64_t largest_block(std::int64_t rows, std::int64_t wanted = 96);

/// The constants of a normalisation for all channels of a map.
template <typename A>
struct Constants {
  std::vector<A> scale, shift, inverse_deviation, offset;
  Normalization<A> view() const {
    return {scale.data(), shift.data(), inverse_deviation.data(), offset.data()};
  }
};

/// Of given statistics: scale = gamma / sqrt(variance + eps), shift = beta - mean * scale, for the
/// first `channels`.
template <typename A>
Constants<A> constants(const A* gamma, const A* beta, const double* mean, const double* variance,
                       double eps, std::int64_t channels);

/// Memory that is not initialised, on cache lines.
template <typename T>
class Buffer {
 public:
  explicit Buffer(std::int64_t count)
      : data_(c10::GetCPUAllocator()->allocate(static_cast<std::size_t>(count) * sizeof(T))) {}
  T* data() const { return static_cast<T*>(data_.get()); }

 private:
  c10::DataPtr data_;
};

/// What the threads of Pointwise::forward() write to on the way, for maps of `rows` pixels: where
/// several follow each other, taking it anew would cost more than the product of a few pixels.
template <typename T>
struct PointwiseScratch {
  PointwiseScratch(std::int64_t rows, std::int64_t outputs);

  std::int64_t block_rows;
  Buffer<T> activations;           ///< of each thread: [block_rows, kPanel]
  Buffer<Accumulate<T>> products;  ///< [block_rows, outputs]
};

/// relu(normalised x) W^T of x [rows, channels], W [outputs, channels].
template <typename T>
struct Pointwise {
  using A = Accumulate<T>;

  std::int64_t rows, channels, outputs;

  /// y [rows, outputs], and the sums of its values and their squares.
  ChannelSums forward(Rows<const T> x, Normalization<A> n, const A* weight, Rows<T> y) const;

  /// y = relu(product * scale + shift): convolution, normalisation and relu, where there are no
  /// statistics to take. `packed`: the weight after pack_for_forward() (matrix.h).
  void forward(Rows<const T> x, Normalization<A> n, const T* packed, const A* scale, const A* shift,
               Rows<T> y, const PointwiseScratch<T>& scratch) const;

  /// `write_gradient(block, tile)` writes y's gradient [rows of the block, outputs]. Adds what
  /// flows back to `total` (add_gradient in row_kernels.h), writes the weight's gradient [outputs,
  /// channels] and returns the sums of d and d * normalised.
  ChannelSums backward(Rows<const T> x, Normalization<A> n, const A* weight,
                       const std::function<void(const RowBlock&, Rows<T>)>& write_gradient,
                       Rows<T> total, A* weight_gradient) const;
};

}  // namespace densenet
