// What the threads of a GPU do to the features of a dense block between its convolutions. The same
// functions run inside CUDA kernels (block_kernels.cu) and, thread after thread, on a CPU
// (block_kernels_host.cpp), where tests compare them with the plain network: of LibTorch this file
// includes number types alone.
//
// A map [N, C, H, W] that is stored channels-last is a matrix with a row per pixel (Rows in
// row_kernels.h). A pass goes over it in strips: a thread takes 16 bytes of neighbouring channels
// and every so many rows, so that neighbouring threads read neighbouring bytes and constants are
// read once. Sums over rows are deterministic: each strip adds up its own, a block's strips are
// added in their order, and the blocks' sums in theirs (ChannelSum). There are no atomic additions.
//
// Accumulate<T> (A below) is float32 for bfloat16, float16 and float32, float64 for float64. All
// pointers are of one device and on 16 bytes.
#pragma once

#include <torch/headeronly/util/BFloat16.h>
#include <torch/headeronly/util/Half.h>

#include <cmath>
#include <cstdint>

#include "row_kernels.h"

#ifdef __CUDACC__
#define DENSENET_BOTH __host__ __device__
#else
#define DENSENET_BOTH
#endif

namespace densenet {

template <>
struct AccumulateOf<c10::BFloat16> {
  using type = float;
};
template <>
struct AccumulateOf<c10::Half> {
  using type = float;
};

namespace gpu {

inline constexpr int kThreads = 256;  ///< of a block

/// Channels that a thread works on at once; divides kLane.
template <typename T>
inline constexpr int kPack = 16 / static_cast<int>(sizeof(T));

/// Read and written with as few instructions as there are 16 bytes.
template <typename V, int n>
struct alignas(16) Numbers {
  V of[n];
};
template <int n, typename V>
DENSENET_BOTH Numbers<V, n> load(const V* from) {
  return *reinterpret_cast<const Numbers<V, n>*>(from);
}
template <int n, typename V>
DENSENET_BOTH void store(V* to, const Numbers<V, n>& numbers) {
  *reinterpret_cast<Numbers<V, n>*>(to) = numbers;
}

/// One thread's share: a pack of channels from `channel` on, rows first, first + step, ... < end.
struct Strip {
  std::int64_t channel, first, end, step;
};

/// How a matrix is cut up: blocks (tile, chunk) of kThreads threads; a tile is some packs of
/// channels, a chunk some rows.
struct Grid {
  std::int64_t rows, channels;
  int pack;     ///< channels of a strip
  int columns;  ///< packs of a tile
  int lanes;    ///< strips of a tile and chunk that share their channels
  std::int64_t tiles, chunks, chunk_rows;

  DENSENET_BOTH Strip strip(std::int64_t tile, std::int64_t chunk, int thread) const {
    const std::int64_t begin = chunk * chunk_rows, end = begin + chunk_rows;
    return {(tile * columns + thread % columns) * pack, begin + thread / columns,
            end < rows ? end : rows, lanes};
  }
  /// Whether a thread has a strip; some at a tile's end have none.
  DENSENET_BOTH bool works(const Strip& strip, int thread) const {
    return strip.channel < channels && thread < columns * lanes;
  }
};

/// At most `most_blocks` (but one for each tile), each thread with four rows or more.
inline Grid grid_of(std::int64_t rows, std::int64_t channels, int pack, std::int64_t most_blocks) {
  const auto divide_up = [](std::int64_t a, std::int64_t b) { return (a + b - 1) / b; };
  const std::int64_t packs = divide_up(channels, pack);
  Grid grid{rows, channels, pack, static_cast<int>(packs < 32 ? packs : 32), 0, 0, 0, 0};
  grid.lanes = kThreads / grid.columns;
  grid.tiles = divide_up(packs, grid.columns);
  const std::int64_t useful = divide_up(rows, 4 * grid.lanes);
  const std::int64_t allowed = most_blocks > grid.tiles ? most_blocks / grid.tiles : 1;
  grid.chunk_rows = divide_up(rows, useful < allowed ? useful : allowed);
  grid.chunks = divide_up(rows, grid.chunk_rows);
  return grid;
}

/// Batch normalisation of given statistics, an array over the channels each:
/// normalised = (x - mean) * inverse_deviation, activation input = x * scale + shift.
template <typename A>
struct Norm {
  const A *scale, *shift, *mean, *inverse_deviation;
};

/// A strip's constants of it.
template <typename A, int n>
struct NormPack {
  DENSENET_BOTH NormPack(const Norm<A>& norm, std::int64_t channel)
      : scale(load<n>(norm.scale + channel)),
        shift(load<n>(norm.shift + channel)),
        mean(load<n>(norm.mean + channel)),
        inverse_deviation(load<n>(norm.inverse_deviation + channel)) {}

  DENSENET_BOTH A normalised(A x, int i) const {
    return (x - mean.of[i]) * inverse_deviation.of[i];
  }
  /// What passes of a gradient of relu(x * scale + shift). As LibTorch's it lets NaN through.
  DENSENET_BOTH A masked(A gradient, A x, int i) const {
    return x * scale.of[i] + shift.of[i] <= A{0} ? A{0} : gradient;
  }

  Numbers<A, n> scale, shift, mean, inverse_deviation;
};

/// A strip's sums, of two things per channel.
template <typename T>
struct PackSums {
  Numbers<Accumulate<T>, kPack<T>> first, second;
};
template <typename T>
DENSENET_BOTH PackSums<T> no_sums() {
  PackSums<T> sums;
  for (int i = 0; i < kPack<T>; ++i) sums.first.of[i] = sums.second.of[i] = 0;
  return sums;
}

/// out = max(in * scale + shift, 0); NaN stays.
template <typename T>
struct NormaliseRelu {
  using A = Accumulate<T>;
  Rows<const T> in;
  const A *scale, *shift;
  Rows<T> out;

  DENSENET_BOTH void operator()(const Strip& s) const {
    constexpr int n = kPack<T>;
    const auto scales = load<n>(scale + s.channel), shifts = load<n>(shift + s.channel);
    for (std::int64_t row = s.first; row < s.end; row += s.step) {
      const auto x = load<n>(in.data + row * in.stride + s.channel);
      Numbers<T, n> y;
      for (int i = 0; i < n; ++i) {
        const A value = static_cast<A>(x.of[i]) * scales.of[i] + shifts.of[i];
        y.of[i] = static_cast<T>(value < A{0} ? A{0} : value);
      }
      store(out.data + row * out.stride + s.channel, y);
    }
  }
};

/// Sums of in - pivot and of (in - pivot)^2, where the pivot is a pixel of the map: it keeps the
/// variance from being a small difference of large sums. copy = in, where there is one.
template <typename T>
struct Measure {
  using A = Accumulate<T>;
  Rows<const T> in;
  const T* pivot;
  Rows<T> copy;  ///< data null: none

  DENSENET_BOTH PackSums<T> operator()(const Strip& s) const {
    constexpr int n = kPack<T>;
    const auto from = load<n>(pivot + s.channel);
    auto sums = no_sums<T>();
    for (std::int64_t row = s.first; row < s.end; row += s.step) {
      const auto x = load<n>(in.data + row * in.stride + s.channel);
      for (int i = 0; i < n; ++i) {
        const A away = static_cast<A>(x.of[i]) - static_cast<A>(from.of[i]);
        sums.first.of[i] += away;
        sums.second.of[i] += away * away;
      }
      if (copy.data) store(copy.data + row * copy.stride + s.channel, x);
    }
    return sums;
  }
};

/// Of d = the gradient that passes the relu: sums of d and of d * normalised. total += scale * d,
/// where there is one.
template <typename T>
struct ReluGradient {
  using A = Accumulate<T>;
  Rows<const T> gradient, in;
  Norm<A> norm;
  Rows<T> total;  ///< data null: none

  DENSENET_BOTH PackSums<T> operator()(const Strip& s) const {
    constexpr int n = kPack<T>;
    const NormPack<A, n> constants(norm, s.channel);
    auto sums = no_sums<T>();
    for (std::int64_t row = s.first; row < s.end; row += s.step) {
      const auto g = load<n>(gradient.data + row * gradient.stride + s.channel);
      const auto x = load<n>(in.data + row * in.stride + s.channel);
      Numbers<A, n> d;
      for (int i = 0; i < n; ++i) {
        const A value = static_cast<A>(x.of[i]);
        d.of[i] = constants.masked(static_cast<A>(g.of[i]), value, i);
        sums.first.of[i] += d.of[i];
        sums.second.of[i] += d.of[i] * constants.normalised(value, i);
      }
      if (total.data) add(d, constants.scale, total.data + row * total.stride + s.channel);
    }
    return sums;
  }

 private:
  template <int n>
  DENSENET_BOTH static void add(const Numbers<A, n>& d, const Numbers<A, n>& scale, T* to) {
    auto sum = load<n>(to);
    for (int i = 0; i < n; ++i)
      sum.of[i] = static_cast<T>(static_cast<A>(sum.of[i]) + scale.of[i] * d.of[i]);
    store(to, sum);
  }
};

/// The gradient of batch normalisation and relu: out = scale * d - constant - slope * normalised.
template <typename T>
struct NormGradient {
  using A = Accumulate<T>;
  Rows<const T> gradient, in;
  Norm<A> norm;
  const A *constant, *slope;
  Rows<T> out;

  DENSENET_BOTH void operator()(const Strip& s) const {
    constexpr int n = kPack<T>;
    const NormPack<A, n> constants(norm, s.channel);
    const auto less = load<n>(constant + s.channel), slopes = load<n>(slope + s.channel);
    for (std::int64_t row = s.first; row < s.end; row += s.step) {
      const auto g = load<n>(gradient.data + row * gradient.stride + s.channel);
      const auto x = load<n>(in.data + row * in.stride + s.channel);
      Numbers<T, n> y;
      for (int i = 0; i < n; ++i) {
        const A value = static_cast<A>(x.of[i]);
        const A d = constants.masked(static_cast<A>(g.of[i]), value, i);
        y.of[i] = static_cast<T>(constants.scale.of[i] * d - less.of[i] -
                                 slopes.of[i] * constants.normalised(value, i));
      }
      store(out.data + row * out.stride + s.channel, y);
    }
  }
};

/// out = total - constant - slope * normalised: what is left of the gradients of all normalisations
/// of a feature, whose scale * d are in `total` already.
template <typename T>
struct FinishGradient {
  using A = Accumulate<T>;
  Rows<const T> total, in;
  const A *mean, *inverse_deviation, *constant, *slope;
  Rows<T> out;

  DENSENET_BOTH void operator()(const Strip& s) const {
    constexpr int n = kPack<T>;
    const auto means = load<n>(mean + s.channel);
    const auto inverses = load<n>(inverse_deviation + s.channel);
    const auto less = load<n>(constant + s.channel), slopes = load<n>(slope + s.channel);
    for (std::int64_t row = s.first; row < s.end; row += s.step) {
      const auto g = load<n>(total.data + row * total.stride + s.channel);
      const auto x = load<n>(in.data + row * in.stride + s.channel);
      Numbers<T, n> y;
      for (int i = 0; i < n; ++i) {
        const A normalised = (static_cast<A>(x.of[i]) - means.of[i]) * inverses.of[i];
        y.of[i] = static_cast<T>(static_cast<A>(g.of[i]) - less.of[i] - slopes.of[i] * normalised);
      }
      store(out.data + row * out.stride + s.channel, y);
    }
  }
};

}  // namespace gpu
}  // namespace densenet
