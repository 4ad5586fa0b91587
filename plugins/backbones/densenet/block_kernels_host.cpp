// The twin of block_kernels.cu: blocks and threads one after the other, sums in the same order.
#include <vector>

#include "block_kernels.h"

namespace densenet::gpu {
namespace {

template <typename Work>
void each_block(const Grid& grid, const Work& work) {
  for (std::int64_t tile = 0; tile < grid.tiles; ++tile)
    for (std::int64_t chunk = 0; chunk < grid.chunks; ++chunk) work(tile, chunk);
}

template <typename Pass>
void run(const Pass& pass, const Grid& grid, void*) {
  each_block(grid, [&](std::int64_t tile, std::int64_t chunk) {
    for (int thread = 0; thread < kThreads; ++thread) {
      const Strip strip = grid.strip(tile, chunk, thread);
      if (grid.works(strip, thread)) pass(strip);
    }
  });
}

template <typename T, template <typename> class Pass>
void run_sum(const Pass<T>& pass, const Grid& grid, Accumulate<T>* partials, void*) {
  std::vector<PackSums<T>> sums(kThreads);
  each_block(grid, [&](std::int64_t tile, std::int64_t chunk) {
    for (int thread = 0; thread < kThreads; ++thread) {
      const Strip strip = grid.strip(tile, chunk, thread);
      sums[static_cast<std::size_t>(thread)] =
          grid.works(strip, thread) ? pass(strip) : no_sums<T>();
    }
    for (int i = 0; i < kThreads; ++i)
      write_partial<T>(sums.data(), grid, tile, chunk, i, partials);
  });
}

template <typename T, template <typename> class Pass>
void run_channels(const Pass<T>& pass, const Partials<Accumulate<T>>& partials,
                  std::int64_t channels, void*) {
  for (std::int64_t channel = 0; channel < channels; ++channel) {
    ChannelSum lanes[kSumLanes];
    for (int lane = 0; lane < kSumLanes; ++lane) lanes[lane] = partials.lane(channel, lane);
    pass(channel, sum_of_lanes(lanes, 1));
  }
}

template <typename T>
constexpr PassKernels<T> kernels_of() {
  return {run<NormaliseRelu<T>>,          run<NormGradient<T>>,
          run<FinishGradient<T>>,         run_sum<T, Measure>,
          run_sum<T, ReluGradient>,       run_channels<T, PrepareNorm>,
          run_channels<T, SettleGradient>};
}

}  // namespace

const BlockKernels kHostKernels{kernels_of<c10::BFloat16>(), kernels_of<c10::Half>(),
                                kernels_of<float>(), kernels_of<double>()};

}  // namespace densenet::gpu
