// `bcx bench KIND`: what things cost on this machine.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace bcx::cli {

/// One measured figure.
struct Figure {
  std::string what;
  double value = 0;
  std::string unit;
  std::optional<double> target = {};  ///< what it should reach: at most that, rates at least
  std::string how = {};               ///< median of how many, range: for the table's last column
};

/// Takes each figure as soon as it is measured.
using TakeFigure = std::function<void(const Figure&)>;

/// Median, with the least and the greatest of the values as `how`.
Figure median_of(std::string what, std::vector<double> values, std::string unit,
                 std::optional<double> target = {});

/// What a command costs as a whole process.
struct ProcessCost {
  double elapsed_ms = 0, processor_ms = 0;
};
/// Runs this executable with these arguments, its output thrown away. Throws when it fails.
ProcessCost cost_of_bcx(const std::vector<std::string>& arguments);

// The kinds, one source file each. `folder` is empty and on the file system to be measured.
void bench_tracker(const std::filesystem::path& folder, const TakeFigure& take);
void bench_sweep(const std::filesystem::path& folder, const TakeFigure& take);

}  // namespace bcx::cli
