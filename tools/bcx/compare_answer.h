// What `bcx compare` finds out, before it is written as text or JSON.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "eval/intervals.h"
#include "report/compared_runs.h"

namespace bcx::cli {

struct CompareOptions {
  std::string database, part, metric = "auc";
  std::vector<std::string> runs, against;
  std::int64_t bootstrap = 10'000;
  std::uint64_t seed = 1;
  bool json = false;
};

/// A run's figures on its own samples, with its own intervals.
struct Alone {
  report::ComparedRun run;
  bool of_first = false;  ///< of side A
  std::vector<std::pair<std::string, double>> metrics;
  eval::Uncertainty uncertainty;
};

struct CompareAnswer {
  std::vector<report::ComparedRun> first, second;
  bool folds = false;  ///< both sides are folds, the i-th of each about the same samples
  std::optional<std::string> obstacle;
  std::optional<eval::Comparison> comparison;  ///< none when there is an obstacle
  /// Of every run, A's first, when there is an obstacle: what can be said of each alone.
  std::vector<Alone> alone;

  std::int64_t images() const;  ///< that A was tested on; of folds, all of them
};

/// Throws bcx::Error: usage for the command line, data for runs without predictions.
CompareAnswer answer(const CompareOptions& options);

/// The compared figure of that name; nullptr: there is none.
const eval::FigureDifference* figure_of(const eval::Comparison& comparison,
                                        const std::string& name);
/// The interval of a run alone; nullptr: none.
const eval::FigureWithIntervals* interval_of(const Alone& alone, const std::string& name);

nlohmann::ordered_json answer_json(const CompareAnswer& found, const CompareOptions& options);

}  // namespace bcx::cli
