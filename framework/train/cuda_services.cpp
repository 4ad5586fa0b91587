#include "train/cuda_services.h"

#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <cuda_runtime_api.h>

#include "train/cuda_graph.h"
#include "train/pixel_kernels_launch.h"

namespace {

std::string device_name(int device) {
  cudaDeviceProp properties{};
  C10_CUDA_CHECK(cudaGetDeviceProperties(&properties, device));
  return properties.name;
}

std::uint64_t free_memory(int device) {
  const c10::cuda::CUDAGuard guard(static_cast<c10::DeviceIndex>(device));
  std::size_t free = 0, total = 0;
  C10_CUDA_CHECK(cudaMemGetInfo(&free, &total));
  return free;
}

std::uint64_t peak_memory(int device) {
  const auto stats =
      c10::cuda::CUDACachingAllocator::getDeviceStats(static_cast<c10::DeviceIndex>(device));
  return static_cast<std::uint64_t>(stats.reserved_bytes[0].peak);
}

void synchronize(int device) {
  const c10::cuda::CUDAGuard guard(static_cast<c10::DeviceIndex>(device));
  c10::cuda::device_synchronize();
}

#ifdef BCX_CUDA_KERNELS
void gather(int device, const bcx::train::GatherWork& work) {
  const c10::cuda::CUDAGuard guard(static_cast<c10::DeviceIndex>(device));
  bcx::train::launch_gather(work, c10::cuda::getCurrentCUDAStream());
  C10_CUDA_KERNEL_LAUNCH_CHECK();
}
#else
constexpr void (*gather)(int, const bcx::train::GatherWork&) = nullptr;
#endif

}  // namespace

const bcx::train::CudaServices* bcx_cuda_services() {
  static constexpr bcx::train::CudaServices services{
      device_name, free_memory, peak_memory, synchronize, gather, bcx::train::record_graph};
  return &services;
}
