#include "train/device.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <fmt/format.h>
#include <malloc.h>
#include <sys/resource.h>

#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <optional>

#include "base/error.h"
#include "base/processors.h"
#include "base/shared_object.h"
#include "base/text.h"
#include "train/cuda_services.h"

namespace bcx::train {
namespace {

bool driver_present() {
  return std::filesystem::exists("/proc/driver/nvidia/version");
}

[[noreturn]] void no_device(std::string_view name, std::string what) {
  throw Error(ExitCode::device,
              {std::move(what), fmt::format("device \"{}\"", printable(name)), "use --device cpu"});
}

int gpu_count() {
  if (!driver_present()) return 0;
  cuda_services();
  return static_cast<int>(
      at::globalContext().getAcceleratorHooksInterface(at::kCUDA).deviceCount());
}

std::string first_value(const char* file, std::string_view key) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);)
    if (line.starts_with(key) && line.find(':') != std::string::npos)
      return std::string(trim(std::string_view(line).substr(line.find(':') + 1)));
  return {};
}

/// Tensors of a step are allocated and released by the hundred. By default glibc maps each large
/// one anew and gives freed memory back, and the kernel zeroes every page again: 9 % of a training
/// step, 30 % of inference on large batches. A user's own choice stays.
void keep_freed_memory() {
#if defined(__GLIBC__)
  // Kept memory is address space that a limit on it counts.
  rlimit space{};
  if (getrlimit(RLIMIT_AS, &space) == 0 && space.rlim_cur != RLIM_INFINITY) return;
  if (!std::getenv("MALLOC_MMAP_THRESHOLD_")) mallopt(M_MMAP_THRESHOLD, 1 << 30);
  if (!std::getenv("MALLOC_TRIM_THRESHOLD_")) mallopt(M_TRIM_THRESHOLD, 2'000'000'000);
#endif
}

}  // namespace

const CudaServices& cuda_services() {
  static const CudaServices& services = *reinterpret_cast<const CudaServices* (*)()>(
      load_host_symbol("bcx_cuda", "bcx_cuda_services"))();
  return services;
}

at::Device resolve_device(std::string_view name) {
  if (name == "cpu") return at::kCPU;
  if (name == "auto") {
    try {
      return gpu_count() > 0 ? at::Device(at::kCUDA, 0) : at::Device(at::kCPU);
    } catch (const Error&) {
      return at::kCPU;  // a driver without usable CUDA libraries: `cuda` says why, `auto` goes on
    }
  }
  int index = 0;
  if (name.starts_with("cuda:")) {
    const auto digits = name.substr(5);
    const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), index);
    if (failed != std::errc{} || end != digits.data() + digits.size() || index < 0)
      no_device(name, "is no device; expected auto, cpu, cuda or cuda:N");
  } else if (name != "cuda") {
    no_device(name, "is no device; expected auto, cpu, cuda or cuda:N");
  }
  if (!driver_present()) no_device(name, "no NVIDIA driver on this machine");
  const int count = gpu_count();
  if (index >= count) no_device(name, fmt::format("this machine has {} GPU(s)", count));
  return {at::kCUDA, static_cast<at::DeviceIndex>(index)};
}

std::string device_name(at::Device device) {
  if (device.is_cuda()) return cuda_services().device_name(device.index());
  const std::string name = first_value("/proc/cpuinfo", "model name");
  return name.empty() ? "CPU" : name;
}

std::uint64_t free_device_memory(at::Device device) {
  if (device.is_cuda()) return cuda_services().free_memory(device.index());
  return std::strtoull(first_value("/proc/meminfo", "MemAvailable").c_str(), nullptr, 10) * 1024;
}

std::uint64_t peak_memory(at::Device device) {
  if (device.is_cuda()) return cuda_services().peak_memory(device.index());
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
}

void synchronize(at::Device device) {
  if (device.is_cuda()) cuda_services().synchronize(device.index());
}

RecordWork work_recorder(at::Device device) {
  if (!device.is_cuda()) return {};
  return [device](const std::function<void()>& work, std::span<const at::Generator> generators) {
    return cuda_services().record(device.index(), work, generators);
  };
}

int apply_process_settings(ProcessSettings settings) {
  static std::mutex mutex;
  static std::optional<ProcessSettings> in_force;
  const std::lock_guard lock(mutex);
  if (settings.threads == 0) settings.threads = usable_cores();
  if (in_force && *in_force != settings)
    throw Error(ExitCode::usage,
                {"another run in this process has other threads or determinism",
                 "train.threads, train.deterministic", "use one process for each"});
  if (!in_force) {
    keep_freed_memory();
    at::set_num_threads(settings.threads);
    at::globalContext().setDeterministicAlgorithms(settings.deterministic, /*warn_only=*/false);
    at::globalContext().setDeterministicCuDNN(settings.deterministic);
    at::globalContext().setBenchmarkCuDNN(!settings.deterministic);
    // fp32 is to mean fp32: LibTorch's default computes cuDNN's convolutions with 10-bit mantissas.
    for (const auto op : {at::Float32Op::CONV, at::Float32Op::RNN})
      at::globalContext().setFloat32Precision(at::Float32Backend::CUDA, op,
                                              at::Float32Precision::IEEE);
    // cuBLAS reads it when it starts; without it LibTorch refuses matrix products as not
    // deterministic. A user's own choice stays.
    if (settings.deterministic) setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", /*overwrite=*/0);
    in_force = settings;
  }
  return settings.threads;
}

bool cpu_has_bf16() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx512bf16");
#else
  return false;
#endif
}

}  // namespace bcx::train
