// A trial of the kernels on the device at hand, before a network is trained with them.
//
// They were tested without a GPU, through their twin on a CPU. So where they meet a GPU, a small
// block runs through them and through LibTorch's operations once in the process for each type;
// where the two disagree or a kernel cannot be launched, the network runs unfused.
#pragma once

#include "gpu_block.h"

namespace densenet::gpu {

/// Whether output, gradients and running statistics of a small block are those of LibTorch's
/// operations: to 1e-8 in float64, 3 % in float32 (products may be in TF32), 10 % in bfloat16 and
/// float16, as L2 norms. A wrong kernel is off by as much as there is. Waits for the device.
bool agree_with_libtorch(const BlockKernels& kernels, at::Device device, at::ScalarType type);

/// cuda_kernels() that passed the trial for x's type on its kind of device; null otherwise, which
/// is said once as a warning. Any thread.
const BlockKernels* trusted_cuda_kernels(const at::Tensor& x);

}  // namespace densenet::gpu
