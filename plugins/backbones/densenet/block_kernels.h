// The passes of block_passes.h and channel_passes.h as functions that run them over a whole map:
// on a GPU, and as its twin on a CPU.
#pragma once

#include "block_passes.h"
#include "channel_passes.h"

namespace densenet::gpu {

/// For maps of T. Passes over a map take its grid (grid_of), those that sum also room for the sums
/// of its blocks, Accumulate<T> [chunks][2][channels]. Passes over channels take those sums and the
/// number of channels. `stream` is the cudaStream_t that they are submitted to (unused on a CPU).
/// A kernel that cannot be launched throws std::runtime_error with CUDA's reason.
template <typename T>
struct PassKernels {
  using A = Accumulate<T>;

  void (*normalise_relu)(const NormaliseRelu<T>&, const Grid&, void* stream);
  void (*norm_gradient)(const NormGradient<T>&, const Grid&, void* stream);
  void (*finish_gradient)(const FinishGradient<T>&, const Grid&, void* stream);
  void (*measure)(const Measure<T>&, const Grid&, A* sums, void* stream);
  void (*relu_gradient)(const ReluGradient<T>&, const Grid&, A* sums, void* stream);
  void (*prepare_norm)(const PrepareNorm<T>&, const Partials<A>&, std::int64_t channels,
                       void* stream);
  void (*settle_gradient)(const SettleGradient<T>&, const Partials<A>&, std::int64_t channels,
                          void* stream);
};

struct BlockKernels {
  PassKernels<c10::BFloat16> of_bfloat16;
  PassKernels<c10::Half> of_half;
  PassKernels<float> of_float;
  PassKernels<double> of_double;
};

extern const BlockKernels kCudaKernels;  ///< where BCX_CUDA_KERNELS is defined
extern const BlockKernels kHostKernels;  ///< in memory of the CPU: for tests

}  // namespace densenet::gpu
