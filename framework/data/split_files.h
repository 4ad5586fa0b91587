// Inside of make_split(): the published fold files of BreakHis.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "data/sample.h"

namespace bcx::data {

struct FilePartition {
  std::vector<Part> parts;  ///< train, test, or unused where the file does not name the image
  std::vector<std::string> warnings;
};

/// Reads one fold file, one line an image (BreakHisFoldLine), matched by file name. Names of images
/// that the table does not have are passed over and counted. Throws bcx::Error or ErrorList (data)
/// for a line of another form, mixed folds, an image named for both parts, and a file that leaves
/// nothing to train or test on.
FilePartition read_fold_file(const std::filesystem::path& file, const SampleTable& table);

}  // namespace bcx::data
