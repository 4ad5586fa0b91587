// A data set as a CSV file: path, label, group and any other attributes.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace bcx::data {

/// Records of a CSV text (RFC 4180): cells separated by commas, quoted where they hold a comma, a
/// quote or a line end, a quote doubled inside quotes; records end in LF or CRLF; a byte order mark
/// is skipped, and so are empty lines. `lines[i]` is the line where record i begins (1-based).
struct CsvRecords {
  std::vector<std::vector<std::string>> records;
  std::vector<std::size_t> lines;
};

/// Limits that a hostile file runs into before memory does.
inline constexpr std::size_t csv_max_bytes = std::size_t{1} << 28;
inline constexpr std::size_t csv_max_columns = 64;
inline constexpr std::size_t csv_max_cell = 8192;

/// Throws bcx::Error (data) with `name:line` for a quote in the wrong place, a NUL byte, a record
/// with more or fewer cells than the first, or a limit.
CsvRecords parse_csv(std::string_view text, const std::string& name);

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
