// What happens once per channel between the passes of block_passes.h: sums over rows become
// statistics, constants and gradients. Shared by CUDA kernels and a CPU, as those are.
#pragma once

#include "block_passes.h"

namespace densenet::gpu {

inline constexpr int kSumLanes = 8;  ///< threads that add up a channel's sums of blocks

/// In float64 in any case: these are few.
struct ChannelSum {
  double first, second;
};

/// What a pass that sums left: [chunks][2][channels], of the channels from `begin` on of a map.
template <typename A>
struct Partials {
  const A* data;
  std::int64_t chunks, begin, channels;

  /// What one of kSumLanes threads adds up; nothing of channels before `begin`.
  DENSENET_BOTH ChannelSum lane(std::int64_t channel, int lane) const {
    ChannelSum sum{0, 0};
    if (channel < begin) return sum;
    for (std::int64_t chunk = lane; chunk < chunks; chunk += kSumLanes) {
      const A* of_chunk = data + 2 * chunk * channels + channel - begin;
      sum.first += static_cast<double>(of_chunk[0]);
      sum.second += static_cast<double>(of_chunk[channels]);
    }
    return sum;
  }
};

/// Adds up what kSumLanes threads have, `stride` apart.
DENSENET_BOTH inline ChannelSum sum_of_lanes(const ChannelSum* lanes, int stride) {
  ChannelSum sum{0, 0};
  for (int lane = 0; lane < kSumLanes; ++lane) {
    sum.first += lanes[lane * stride].first;
    sum.second += lanes[lane * stride].second;
  }
  return sum;
}

/// Adds up a block's strips and writes the sums as one of [chunks][2][channels]; `i` counts the
/// channels of the tile.
template <typename T>
DENSENET_BOTH void write_partial(const PackSums<T>* of_threads, const Grid& grid, std::int64_t tile,
                                 std::int64_t chunk, int i, Accumulate<T>* partials) {
  const std::int64_t channel = tile * grid.columns * grid.pack + i;
  if (i >= grid.columns * grid.pack || channel >= grid.channels) return;
  Accumulate<T> first = 0, second = 0;
  for (int lane = 0; lane < grid.lanes; ++lane) {
    const PackSums<T>& sums = of_threads[lane * grid.columns + i / grid.pack];
    first += sums.first.of[i % grid.pack];
    second += sums.second.of[i % grid.pack];
  }
  Accumulate<T>* of_chunk = partials + 2 * chunk * grid.channels + channel;
  of_chunk[0] = first;
  of_chunk[grid.channels] = second;
}

/// Mean, biased variance and 1 / sqrt(variance + eps), an array over the channels each.
template <typename A>
struct StatisticArrays {
  A *mean, *variance, *inverse_deviation;
};

/// Before a normalisation: the statistics of channels from `fresh` on (the sums are Measure's),
/// then scale = gamma / sqrt(variance + eps), shift = beta - mean * scale, and
/// running <- (1 - momentum) * running + momentum * batch, with the unbiased variance.
template <typename T>
struct PrepareNorm {
  using A = Accumulate<T>;
  std::int64_t rows, fresh;
  const T* pivot;  ///< Measure's, of the fresh channels
  double eps, momentum;
  StatisticArrays<A> statistics;
  const A *gamma, *beta;
  A *scale, *shift, *running_mean, *running_variance;

  DENSENET_BOTH void operator()(std::int64_t c, ChannelSum sums) const {
    const auto n = static_cast<double>(rows);
    if (c >= fresh) measure(c, sums.first / n, sums.second / n);
    const auto mean = static_cast<double>(statistics.mean[c]);
    const auto variance = static_cast<double>(statistics.variance[c]);
    const double steep = static_cast<double>(gamma[c]) / std::sqrt(variance + eps);
    scale[c] = static_cast<A>(steep);
    shift[c] = static_cast<A>(static_cast<double>(beta[c]) - mean * steep);
    move(running_mean[c], mean);
    move(running_variance[c], variance * (n / (n - 1)));
  }

 private:
  DENSENET_BOTH void measure(std::int64_t c, double away, double square) const {
    const double mean = static_cast<double>(static_cast<A>(pivot[c - fresh])) + away;
    const double biased = square - away * away, variance = biased < 0 ? 0 : biased;
    statistics.mean[c] = static_cast<A>(mean);
    statistics.variance[c] = static_cast<A>(variance);
    statistics.inverse_deviation[c] = static_cast<A>(1 / std::sqrt(variance + eps));
  }
  DENSENET_BOTH void move(A& running, double batch) const {
    running = static_cast<A>((1 - momentum) * static_cast<double>(running) + momentum * batch);
  }
};

/// After ReluGradient: the gradients of gamma and beta, and what the normalisation takes away from
/// its input's gradient, constant = scale * mean(d), slope = scale * mean(d * normalised); with
/// `add`, added to what earlier readers of the same features left.
template <typename T>
struct SettleGradient {
  using A = Accumulate<T>;
  std::int64_t rows;
  const A* scale;
  bool add;
  A *constant, *slope, *gamma_gradient, *beta_gradient;

  DENSENET_BOTH void operator()(std::int64_t c, ChannelSum sums) const {
    const double share = static_cast<double>(scale[c]) / static_cast<double>(rows);
    gamma_gradient[c] = static_cast<A>(sums.second);
    beta_gradient[c] = static_cast<A>(sums.first);
    constant[c] = static_cast<A>(share * sums.first) + (add ? constant[c] : A{0});
    slope[c] = static_cast<A>(share * sums.second) + (add ? slope[c] : A{0});
  }
};

}  // namespace densenet::gpu
