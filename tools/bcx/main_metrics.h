// The figures that are shown first, when there is no room for all.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

namespace bcx::cli {

/// Names without the part ("val.", "test.", "test.tta."), in the order in which they are shown.
/// Accuracy never stands without the majority baseline.
inline constexpr std::array<std::string_view, 12> main_metrics{
    "loss", "accuracy",         "majority_baseline", "balanced_accuracy",
    "auc",  "sensitivity",      "specificity",       "precision",
    "f1",   "patient.accuracy", "patient.auc",       "patient.score"};

inline bool is_main_metric(std::string_view name) {
  return std::find(main_metrics.begin(), main_metrics.end(), name) != main_metrics.end();
}

}  // namespace bcx::cli
