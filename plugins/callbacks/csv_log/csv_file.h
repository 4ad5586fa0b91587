// The CSV file of a run: one row for each epoch, a column for each metric.
#pragma once

#include <bcx/sdk/callback.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace csv_log {

/// Columns are `epoch` (counted from 1), `step`, and the metrics in the order of their first
/// appearance, by name within an epoch. A metric that appears later gets a column at the end, empty
/// in earlier rows. Numbers are the shortest that read back the same.
///
/// Used on one thread (the host's writer thread). Failures throw std::runtime_error with the path.
class CsvFile {
 public:
  explicit CsvFile(std::filesystem::path path) : path_(std::move(path)) {}

  /// Forgets rows of `first_epoch` and later, which a resumed run will write again, and a
  /// half-written last line; no rows are left when `first_epoch` is 1. Does nothing without a file.
  void resume(std::int64_t first_epoch);

  /// Adds one row at the end of the file.
  void append(std::int64_t epoch, std::int64_t step, const bcx::sdk::Metrics& metrics);

 private:
  std::vector<std::string> read_rows() const;
  void rewrite(const std::vector<std::string>& rows) const;
  std::string header() const;

  std::filesystem::path path_;
  std::vector<std::string> columns_;  // the metrics'; empty: no header written yet
};

}  // namespace csv_log
