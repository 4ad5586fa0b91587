// What the tracker knows about this machine: the process, and the file system of a folder.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace bcx::tracker {

/// Names a process beyond its pid, which the kernel gives out again.
struct ProcessIdentity {
  std::string host, boot_id;
  std::int64_t pid = 0;
  std::int64_t start_ticks = 0;  ///< since boot, field 22 of /proc/PID/stat
};
ProcessIdentity this_process();

/// Microseconds since 1970, UTC.
std::int64_t now_microseconds();

/// The name of a network (or user-space) file system by the magic number that statfs gives, empty
/// for a local one. Numbers: linux/magic.h and the file systems' own sources.
std::string_view network_file_system(std::uint64_t magic);

/// Throws bcx::Error (storage) when `folder` lies on a network file system: SQLite's WAL needs
/// memory shared between processes and locks that work, and there has neither.
void refuse_network_file_system(const std::filesystem::path& folder);
/// The same for a known magic number.
void refuse_network_file_system(const std::filesystem::path& folder, std::uint64_t magic);

}  // namespace bcx::tracker
