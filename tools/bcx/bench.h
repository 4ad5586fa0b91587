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
  std::optional<double> least = {}, greatest = {};  ///< of repeated measurements: their spread
};

/// Rates are better when more, everything else when less.
bool more_is_better(const Figure& figure);

/// Takes each figure as soon as it is measured.
using TakeFigure = std::function<void(const Figure&)>;

/// Median, with the least and the greatest of the values as `how`.
Figure median_of(std::string what, std::vector<double> values, std::string unit,
                 std::optional<double> target = {});

/// What a command costs as a whole process.
struct ProcessCost {
  double elapsed_ms = 0, processor_ms = 0;
  double peak_mb = 0;  ///< most memory in RAM, files that are mapped and libraries included
  double own_mb = 0;   ///< most memory of its own (anonymous), looked at every 2 ms; 0: not watched
};
/// Runs this executable with these arguments, its output thrown away. Throws when it fails.
ProcessCost cost_of_bcx(const std::vector<std::string>& arguments, bool watch_memory = false);

/// A tracker of so many runs of 20 parameters and 10 metrics, with resolved experiments of a usual
/// length.
void fill_tracker(const std::filesystem::path& path, std::int64_t runs);

/// What to measure; each kind reads what concerns it.
struct BenchOptions {
  std::string folder;   ///< parent of the place to work in; empty: the temporary folder
  std::string compare;  ///< figures stored by --json; empty: none
  bool json = false;
  std::string backbone = "densenet201", precision = "auto", device = "auto";
  std::int64_t batch_size = 16, image_size = 224, steps = 10, threads = 0, images = 64;
  std::vector<std::string> sets, plugin_paths;
  std::vector<std::string> of;  ///< of growth_parts(); empty: all
  std::int64_t largest = 1'000'000;
};

// The kinds, one source file each. `folder` is empty and on the file system to be measured.
void bench_tracker(const BenchOptions&, const std::filesystem::path& folder,
                   const TakeFigure& take);
void bench_sweep(const BenchOptions&, const std::filesystem::path& folder, const TakeFigure& take);
void bench_data(const BenchOptions&, const std::filesystem::path& folder, const TakeFigure& take);
void bench_train(const BenchOptions&, const std::filesystem::path& folder, const TakeFigure& take);
void bench_infer(const BenchOptions&, const std::filesystem::path& folder, const TakeFigure& take);
void bench_growth(const BenchOptions&, const std::filesystem::path& folder, const TakeFigure& take);
/// What bench_growth() can be asked for.
std::vector<std::string> growth_parts();

/// A figure beside one that was stored.
struct Compared {
  std::string what, unit;
  double stored = 0, now = 0;
  bool judged = false;  ///< the stored figure was measured several times: it has a spread
  bool worse = false;   ///< by more than that
};
/// Those figures that both lists have. `stored` is what --json wrote. Throws bcx::Error (data) for
/// a file that is something else, or of another kind of bench.
std::vector<Compared> compare_figures(const std::filesystem::path& stored,
                                      const std::vector<Figure>& now);

}  // namespace bcx::cli
