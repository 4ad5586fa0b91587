#include "train/cuda_graph.h"

#include <ATen/core/CachingHostAllocator.h>
#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAGuard.h>
#include <cuda_runtime_api.h>
#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"

namespace bcx::train {
namespace {

class Graph final : public RecordedWork {
 public:
  Graph(c10::DeviceIndex device, std::span<const at::Generator> generators) : device_(device) {
    for (const auto& generator : generators) graph_.register_generator_state(generator);
  }

  void record(const std::function<void()>& work) {
    const c10::cuda::CUDAStreamGuard on_own(
        c10::cuda::getStreamFromPool(/*isHighPriority=*/false, device_));
    try {
      graph_.capture_begin(pool_);
      work();
      graph_.capture_end();
    } catch (...) {
      abandon();
      throw;
    }
  }

  void replay() override {
    const c10::cuda::CUDAGuard guard(device_);
    graph_.replay();
  }

 private:
  /// Where recording was refused, ending it fails before the allocators are told: they would go on
  /// asking this object, which is gone by then, what belongs to it.
  void abandon() noexcept {
    const auto attempt = [](auto&& call) {
      try {
        call();
      } catch (const std::exception&) {
      }
    };
    auto* host = at::getHostAllocator(at::kCUDA);
    bool ended = false;
    attempt([&] {
      graph_.capture_end();
      ended = true;  // what it kept is given back when it is destroyed
    });
    cudaGetLastError();  // or the next launch would be blamed for it
    if (ended) return;
    attempt([&] { c10::cuda::CUDACachingAllocator::endAllocateToPool(device_, pool_); });
    attempt([&] { host->end_allocate_to_pool(pool_); });
    attempt([&] { c10::cuda::CUDACachingAllocator::releasePool(device_, pool_); });
    attempt([&] { host->release_pool(pool_); });
  }

  c10::DeviceIndex device_;
  c10::cuda::MempoolId_t pool_ = at::cuda::graph_pool_handle();
  at::cuda::CUDAGraph graph_;
};

void require_memory(c10::DeviceIndex device) {
  const auto stats = c10::cuda::CUDACachingAllocator::getDeviceStats(device);
  const auto& allocated = stats.allocated_bytes[0];
  const auto step = static_cast<std::uint64_t>(allocated.peak - allocated.current);
  std::size_t free = 0, total = 0;
  C10_CUDA_CHECK(cudaMemGetInfo(&free, &total));
  if (free >= 2 * step) return;
  throw Error(ExitCode::device, fmt::format("a step takes {}, twice that is needed and {} are free",
                                            human_bytes(step), human_bytes(free)));
}

}  // namespace

std::unique_ptr<RecordedWork> record_graph(int device, const std::function<void()>& work,
                                           std::span<const at::Generator> generators) {
  const auto index = static_cast<c10::DeviceIndex>(device);
  const c10::cuda::CUDAGuard guard(index);
  c10::cuda::device_synchronize();
  c10::cuda::CUDACachingAllocator::emptyCache();
  require_memory(index);
  auto graph = std::make_unique<Graph>(index, generators);
  graph->record(work);
  c10::cuda::device_synchronize();  // replays happen on another stream
  return graph;
}

}  // namespace bcx::train
