// The few things that only CUDA's own headers offer, behind a table of functions, so that
// everything else compiles, links and runs without them. libbcx_cuda.so implements it.
#pragma once

#include <cstdint>
#include <string>

#include "train/pixel_kernels.h"
#include "train/recorded_work.h"

namespace bcx::train {

struct CudaServices {
  std::string (*device_name)(int device);
  std::uint64_t (*free_memory)(int device);
  std::uint64_t (*peak_memory)(int device);
  void (*synchronize)(int device);
  /// On the current stream; all pointers are the device's. Null where bcx was built without nvcc.
  void (*gather)(int device, const GatherWork& work);
  /// RecordWork (train/recorded_work.h) as a CUDA graph.
  std::unique_ptr<RecordedWork> (*record)(int device, const std::function<void()>& work,
                                          std::span<const at::Generator> generators);
};

/// The services of this process: loads libbcx_cuda.so, and with it libtorch_cuda, at the first
/// call. Throws bcx::Error (other) when it cannot be loaded.
const CudaServices& cuda_services();

}  // namespace bcx::train

/// The symbol that libbcx_cuda.so exports.
extern "C" const bcx::train::CudaServices* bcx_cuda_services();
