// `bcx metrics --json`.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "eval/intervals.h"
#include "prediction_file.h"

namespace bcx::cli {

/// The samples of one value of a column.
struct Subgroup {
  std::string value;
  eval::Outcomes outcomes;
};
/// In the order of the values; numbers by size.
std::vector<Subgroup> subgroups_of(const PredictionSet& set, const std::string& column);

/// Figures (undefined: null), confusion matrix (a row for each target), figures of each class, and
/// the curves.
nlohmann::ordered_json metrics_json(const eval::Outcomes& outcomes, const eval::DecisionRule& rule);
nlohmann::ordered_json uncertainty_json(const eval::Uncertainty& uncertainty, double level);

}  // namespace bcx::cli
