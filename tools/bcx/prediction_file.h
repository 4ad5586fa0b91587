// Anybody's predictions, from a CSV or JSON file.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "eval/predictions.h"

namespace bcx::cli {

/// One set of predictions. Vectors are aligned with outcomes.targets, or empty.
struct PredictionSet {
  eval::Outcomes outcomes;
  std::vector<std::string> classes;  ///< names
  int positive = 1;                  ///< index into classes
  std::vector<std::string> samples;
  std::vector<std::pair<std::string, std::vector<std::string>>> attributes;

  /// The attribute's values. Throws bcx::Error (usage) with the nearest name.
  const std::vector<std::string>& attribute(const std::string& name) const;
};

struct PredictionOptions {
  std::string positive;  ///< the positive class's name; empty: the second, "1" of 0 and 1
  std::string group;     ///< the column that holds patients; empty: `group`, if there is one
};

/// Reads FILE.csv or FILE.json (by its ending):
///
///   CSV   a header with `target`, and `score` or one `score_CLASS` for each class; optional
///         `sample` and `group`; every other column is an attribute.
///   JSON  an array of objects with the same keys (`score` may be an array: one for each class);
///         or one object of arrays: `target`, `probability` or `score` (numbers, or an array for
///         each sample), optional `sample`, `group`, and `attributes` by name; or {"cases": [such
///         objects]}.
///
/// Targets are class names or 0-based indexes. A single score is the positive class's. Scores
/// within [0, 1] (a row of several summing to 1 within 0.001) are probabilities; others are ranks.
/// Throws bcx::Error (data) with file and line or row for everything that is not so, and (usage)
/// for options that do not fit.
std::vector<PredictionSet> read_predictions(const std::filesystem::path& file,
                                            const PredictionOptions& options);

}  // namespace bcx::cli
