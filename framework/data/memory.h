// How much memory there is.
#pragma once

#include <cstdint>

namespace bcx::data {

/// Bytes that this process may still take: the machine's MemAvailable, or less where a cgroup (v2)
/// says so. The largest number when neither is known.
std::uint64_t available_memory();

}  // namespace bcx::data
