// What kind of data lies at a place.
#pragma once

#include <filesystem>
#include <string>

namespace bcx::cli {

/// `data.source` for a file or folder by what stands there: `manifest` (a CSV file, or a folder
/// with manifest.csv), `packed` (any other file), `breakhis` (histology_slides/), else `folders`.
std::string guess_source(const std::filesystem::path& root);

}  // namespace bcx::cli
