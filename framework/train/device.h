// Devices: which there are, and what is the process's and not a run's.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "train/recorded_work.h"

namespace bcx::train {

/// `auto`, `cpu`, `cuda`, `cuda:N` -> a device that is there. `auto` takes a GPU when there is one.
/// The CUDA parts (libbcx_cuda.so, and with it libtorch_cuda) are loaded here, at the first GPU
/// that is asked for. Throws bcx::Error (device) saying what is missing.
at::Device resolve_device(std::string_view name);

/// `NVIDIA H200`, or the processor's name.
std::string device_name(at::Device device);

/// Bytes that can still be allocated on a GPU; on the CPU what /proc/meminfo calls available.
std::uint64_t free_device_memory(at::Device device);

/// Highest use so far: allocator's peak on a GPU, the process's peak resident set on a CPU.
std::uint64_t peak_memory(at::Device device);

/// Waits until everything that was submitted has run (nothing on a CPU): for honest timing.
void synchronize(at::Device device);

/// What records work on a GPU; empty on a CPU, where there is nothing to be gained.
RecordWork work_recorder(at::Device device);

/// What belongs to the process, not to a run. Two runs that differ in it cannot share a process.
struct ProcessSettings {
  int threads = 0;  ///< of LibTorch's pool; 0: the cores that this process may use
  bool deterministic = false;
  bool operator==(const ProcessSettings&) const = default;
};

/// Applies the settings once; the same again is fine. Throws bcx::Error (usage) when other settings
/// are in force. Returns the number of threads in use.
int apply_process_settings(ProcessSettings settings);

/// True where the processor computes in bfloat16 (AVX512-BF16 or AMX).
bool cpu_has_bf16();

}  // namespace bcx::train
