// A dense block on a GPU as one operation, for training: the scheme of fused_block.h with
// LibTorch's convolutions (cuDNN's) and kernels of its own between them.
//
// A layer launches six kernels forward beside its two convolutions, and eight backward beside their
// four gradients; block_passes.h has their arithmetic. Kept for the way back are the output, each
// layer's 1x1 result and rounded weights, and constants per channel. Activations are computed
// again: kept, a block's would take memory that grows with the square of its layers, and one more
// pass over them costs a fraction of the convolution that follows it.
//
// Nothing here waits for the device, reads a number of it on the host, or allocates but through
// LibTorch, so a step may be recorded as a CUDA graph.
#pragma once

#include "block_kernels.h"
#include "fused_block.h"

namespace densenet::gpu {

/// Null where this was built without nvcc.
const BlockKernels* cuda_kernels();

/// Whether block_training() can do with these, all on one device: features of bfloat16, float16,
/// float32 or float64 in groups of kLane, more than one pixel; normalisations in Accumulate of that
/// type; weights of convolutions in that or in the features' type.
bool can_fuse(const at::Tensor& x, const std::vector<LayerTensors>& layers);

/// x [N, C, H, W] to [N, C + layers * growth, H, W], channels-last. Updates the running statistics.
/// Differentiable once; a gradient has its parameter's type. `kernels` are of x's device and
/// outlive the graph. Throws std::runtime_error where a kernel cannot be launched.
at::Tensor block_training(const at::Tensor& x, const std::vector<LayerTensors>& layers,
                          const BatchNormRule& rule, const BlockKernels& kernels);

}  // namespace densenet::gpu
