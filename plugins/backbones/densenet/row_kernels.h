// The passes over features that lie between convolutions, each written once and compiled for three
// generations of x86 processors (one on other machines).
//
// A map [N, C, H, W] that is stored channels-last is a matrix: a row per pixel, a column per
// channel. `stride` is the distance between two rows in elements and may exceed the number of
// channels: a layer of a dense block sees the first channels of a wider buffer. Every function
// works on the rows it is given, on the calling thread; the number of channels is a multiple of
// kLane.
#pragma once

#include <cstdint>

namespace densenet {

/// Channels are worked on in groups of this many.
inline constexpr std::int64_t kLane = 16;

/// The storage of a bfloat16 number: the upper half of a float32.
struct Bfloat16 {
  std::uint16_t bits;
};

/// What numbers of type T are computed in: float32 for bfloat16.
template <typename T>
struct AccumulateOf {
  using type = T;
};
template <>
struct AccumulateOf<Bfloat16> {
  using type = float;
};
template <typename T>
using Accumulate = typename AccumulateOf<T>::type;

template <typename T>
struct Rows {
  T* data;
  std::int64_t stride;

  Rows from(std::int64_t row, std::int64_t channel = 0) const {
    return {data + row * stride + channel, stride};
  }
};

struct Extent {
  std::int64_t rows, channels;
};

/// Batch normalisation by given statistics, an array over the channels each:
/// normalised = x * inverse_deviation + offset, activation input = x * scale + shift.
template <typename A>
struct Normalization {
  const A* scale;
  const A* shift;
  const A* inverse_deviation;
  const A* offset;

  Normalization from(std::int64_t channel) const {
    return {scale + channel, shift + channel, inverse_deviation + channel, offset + channel};
  }
};

/// Sums over rows, per channel; added to what is there.
struct Sums {
  double* first;
  double* second;

  Sums from(std::int64_t channel) const { return {first + channel, second + channel}; }
};

template <typename T>
struct RowKernels {
  using A = Accumulate<T>;

  /// out = max(in * scale + shift, 0)
  void (*normalise_relu)(Rows<const T> in, Extent extent, const A* scale, const A* shift,
                         Rows<T> out);
  /// The same of a matrix product that is not rounded yet.
  void (*normalise_relu_product)(Rows<const A> in, Extent extent, const A* scale, const A* shift,
                                 Rows<T> out);
  /// The mean of that over 2 x 2 pixels: `upper` and `lower` are two lines of a picture, twice as
  /// many rows as `extent` says of the result.
  void (*normalise_relu_pool)(Rows<const T> upper, Rows<const T> lower, Extent extent,
                              const A* scale, const A* shift, Rows<T> out);
  /// out = in; sums: of the values and of their squares.
  void (*copy)(Rows<const T> in, Extent extent, Rows<T> out, Sums sums);
  /// The sums alone.
  void (*sum)(Rows<const T> in, Extent extent, Sums sums);
  /// The copy of a matrix product, which is rounded first.
  void (*round)(Rows<const A> in, Extent extent, Rows<T> out, Sums sums);

  /// Of d = gradient where the activation's input is positive, else 0: sums of d and of
  /// d * normalised. Row r has the gradient's row r / `pool`: 2 along a line that was pooled,
  /// else 1.
  void (*relu_gradient)(Rows<const T> gradient, Rows<const T> in, Extent extent,
                        Normalization<A> normalization, int pool, Sums sums);
  /// out = scale * (d * share - mean - normalised * slope), the gradient of batch normalisation
  /// with the means of d and d * normalised, where d is a `share` of the gradient.
  void (*normalization_gradient)(Rows<const T> gradient, Rows<const T> in, Extent extent,
                                 Normalization<A> normalization, int pool, A share, const A* mean,
                                 const A* slope, Rows<T> out);
  /// d as above; total += scale * d; sums as relu_gradient's. Also writes the activations as the
  /// right factor of a matrix product over rows (matrix.h), `activations_stride` columns wide.
  void (*add_gradient)(Rows<const A> gradient, Rows<const T> in, Extent extent,
                       Normalization<A> normalization, Rows<T> total, Sums sums, T* activations,
                       std::int64_t activations_stride);
  /// out = total - constant - slope * in
  void (*finish_gradient)(Rows<const T> total, Rows<const T> in, Extent extent, const A* constant,
                          const A* slope, Rows<T> out);
  /// out[channel][row] = in[row][channel]
  void (*transpose)(Rows<const T> in, Extent extent, Rows<T> out);

  /// A matrix and its transpose, rounded, as right factors of a product (matrix.h) that have
  /// `columns` columns.
  void (*write_factor)(Rows<const A> in, Extent extent, T* factor, std::int64_t columns);
  void (*write_transposed_factor)(Rows<const A> in, Extent extent, T* factor, std::int64_t columns);
};

/// For this processor. T is Bfloat16, float or double.
template <typename T>
const RowKernels<T>& row_kernels();

}  // namespace densenet
