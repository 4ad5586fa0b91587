// A data set as a CSV file: path, label, group and any other attributes.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace bcx::data {

/// One row of a manifest, checked.
struct ManifestRow {
  std::string relative;  ///< below the manifest's folder, '/' separated, normal form
  std::string label;
  std::vector<std::string> attributes;  ///< aligned with Manifest::attribute_names
  std::size_t line = 0;
};

struct Manifest {
  std::filesystem::path file, folder;  ///< folder: canonical
  std::vector<std::string> attribute_names;
  std::vector<ManifestRow> rows;
};

/// Reads `root` (the CSV file, or a folder that holds manifest.csv).
///
/// The first record names the columns: `path` and `label` must be there; `group` and all others are
/// attributes; `part` (train, validation, test, unused) fixes the parts. A path is relative to the
/// manifest's folder and stays inside it, links included; it names a regular file, once.
/// All bad rows are reported at once (the first twenty, then their number): ErrorList (data).
Manifest read_manifest(const std::filesystem::path& root);

}  // namespace bcx::data
