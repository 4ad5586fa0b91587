// Comma-separated values, strictly.
#pragma once

#include <cstddef>
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

}  // namespace bcx::data
