// A whole regular file in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <vector>

namespace bcx::data {

/// All bytes of a regular file (links are followed; devices, pipes and folders are refused, so that
/// nothing hangs) of at most `limit` bytes. Throws bcx::Error (data) with the path.
std::vector<std::byte> read_file(const std::filesystem::path& path, std::uintmax_t limit);

}  // namespace bcx::data
