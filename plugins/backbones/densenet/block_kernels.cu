#include <cuda_runtime.h>

#include <stdexcept>
#include <string>

#include "block_kernels.h"

namespace densenet::gpu {
namespace {

constexpr int kChannels = kThreads / kSumLanes;  // that a block of a pass over channels works on

template <typename Pass>
__global__ void __launch_bounds__(kThreads) over_map(Pass pass, Grid grid) {
  const int thread = static_cast<int>(threadIdx.x);
  const Strip strip = grid.strip(blockIdx.y, blockIdx.x, thread);
  if (grid.works(strip, thread)) pass(strip);
}

template <typename T, typename Pass>
__global__ void __launch_bounds__(kThreads)
    sum_over_map(Pass pass, Grid grid, Accumulate<T>* partials) {
  __shared__ PackSums<T> sums[kThreads];
  const int thread = static_cast<int>(threadIdx.x);
  const Strip strip = grid.strip(blockIdx.y, blockIdx.x, thread);
  if (grid.works(strip, thread))
    sums[thread] = pass(strip);
  else
    sums[thread] = no_sums<T>();
  __syncthreads();
  write_partial<T>(sums, grid, blockIdx.y, blockIdx.x, thread, partials);
}

template <typename A, typename Pass>
__global__ void __launch_bounds__(kThreads)
    over_channels(Pass pass, Partials<A> partials, std::int64_t channels) {
  __shared__ ChannelSum lanes[kThreads];
  const int thread = static_cast<int>(threadIdx.x), column = thread % kChannels;
  const std::int64_t channel = static_cast<std::int64_t>(blockIdx.x) * kChannels + column;
  lanes[thread] =
      channel < channels ? partials.lane(channel, thread / kChannels) : ChannelSum{0, 0};
  __syncthreads();
  if (thread < kChannels && channel < channels)
    pass(channel, sum_of_lanes(lanes + column, kChannels));
}

void require_launched() {
  if (const cudaError_t error = cudaGetLastError(); error != cudaSuccess)
    throw std::runtime_error(std::string("a kernel of the dense block was not launched: ") +
                             cudaGetErrorString(error));
}

dim3 blocks_of(const Grid& grid) {
  return {static_cast<unsigned>(grid.chunks), static_cast<unsigned>(grid.tiles), 1};
}

template <typename Pass>
void launch(const Pass& pass, const Grid& grid, void* stream) {
  over_map<<<blocks_of(grid), kThreads, 0, static_cast<cudaStream_t>(stream)>>>(pass, grid);
  require_launched();
}

template <typename T, template <typename> class Pass>
void launch_sum(const Pass<T>& pass, const Grid& grid, Accumulate<T>* partials, void* stream) {
  sum_over_map<T>
      <<<blocks_of(grid), kThreads, 0, static_cast<cudaStream_t>(stream)>>>(pass, grid, partials);
  require_launched();
}

template <typename T, template <typename> class Pass>
void launch_channels(const Pass<T>& pass, const Partials<Accumulate<T>>& partials,
                     std::int64_t channels, void* stream) {
  const auto blocks = static_cast<unsigned>((channels + kChannels - 1) / kChannels);
  over_channels<Accumulate<T>>
      <<<blocks, kThreads, 0, static_cast<cudaStream_t>(stream)>>>(pass, partials, channels);
  require_launched();
}

template <typename T>
constexpr PassKernels<T> kernels_of() {
  return {launch<NormaliseRelu<T>>,          launch<NormGradient<T>>,
          launch<FinishGradient<T>>,         launch_sum<T, Measure>,
          launch_sum<T, ReluGradient>,       launch_channels<T, PrepareNorm>,
          launch_channels<T, SettleGradient>};
}

}  // namespace

const BlockKernels kCudaKernels{kernels_of<c10::BFloat16>(), kernels_of<c10::Half>(),
                                kernels_of<float>(), kernels_of<double>()};

}  // namespace densenet::gpu
