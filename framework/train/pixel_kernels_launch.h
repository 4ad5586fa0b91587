// Starts the kernels of pixel_kernels.cu; part of libbcx_cuda.so where nvcc was there to build
// them.
#pragma once

#include <cuda_runtime_api.h>

#include "train/pixel_kernels.h"

namespace bcx::train {

/// All pointers are the device's. Submits to the stream; errors of the launch are
/// cudaGetLastError()'s.
void launch_gather(const GatherWork& work, cudaStream_t stream);

}  // namespace bcx::train
