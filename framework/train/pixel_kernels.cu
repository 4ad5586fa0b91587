#include "train/pixel_kernels_launch.h"

namespace bcx::train {
namespace {

constexpr int threads = 256;

/// One thread for each output pixel: neighbours in a warp write neighbouring bytes and read close
/// ones.
__global__ void gather(GatherWork work) {
  const std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * threads + threadIdx.x;
  const std::int64_t area = work.size * work.size;
  if (i >= work.count * area) return;
  gather_pixel(work, i / area, i % area / work.size, i % work.size);
}

}  // namespace

void launch_gather(const GatherWork& work, cudaStream_t stream) {
  const std::int64_t pixels = work.count * work.size * work.size;
  if (pixels == 0) return;
  gather<<<static_cast<unsigned>((pixels + threads - 1) / threads), threads, 0, stream>>>(work);
}

}  // namespace bcx::train
