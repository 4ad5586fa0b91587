// The few things that only CUDA's own headers offer, behind a table of functions, so that
// everything else compiles, links and runs without them. libbcx_cuda.so implements it.
#pragma once

#include <cstdint>
#include <string>

namespace bcx::train {

struct CudaServices {
  std::string (*device_name)(int device);
  std::uint64_t (*free_memory)(int device);
  std::uint64_t (*peak_memory)(int device);
  void (*synchronize)(int device);
};

}  // namespace bcx::train

/// The symbol that libbcx_cuda.so exports.
extern "C" const bcx::train::CudaServices* bcx_cuda_services();
