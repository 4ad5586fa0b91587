// Files beneath the tracker's folder that nothing needs any more.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace bcx::tracker {

struct Garbage {
  std::string path;  ///< relative to the database's folder
  std::int64_t bytes = 0;
  std::string why;  ///< "no run has this folder", "a checkpoint that was replaced", ...
};

/// What is garbage, and nothing else:
///   - whole run folders (`<name>-<8 hex digits>`, in the database's folder or its `trash/`) that
///     no row names, and folders that a merge left half-made (`….partial`);
///   - in the folders of runs: files in `checkpoints/` that no row keeps, and temporary files
///     (`.*.tmp`) of a killed process.
/// A folder whose run is alive is passed over whole. Nothing is followed out of the database's
/// folder. Throws (usage) when another tracker lies in the same folder: its runs' folders would
/// look like garbage. With `remove`, the files are removed while the run's lock is held; what was
/// removed is returned.
std::vector<Garbage> collect_garbage(const std::filesystem::path& database, bool remove);

/// Forgets the runs in the trash for good: their rows, and data sets and splits that no other run
/// uses. Their folders are garbage afterwards. Returns how many there were.
std::int64_t forget_trashed(const std::filesystem::path& database);

}  // namespace bcx::tracker
