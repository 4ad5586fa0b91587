// Figures with everything that is known about their uncertainty: what reports print.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "eval/bootstrap.h"
#include "eval/predictions.h"

namespace bcx::eval {

struct FigureWithIntervals {
  std::string name;  ///< as in named_metrics(), without a prefix
  double value = 0.0;
  std::optional<Interval> percentile, bca;  ///< bootstrap.h
  std::optional<Interval> small_sample;  ///< logit t (small_sample.h): auc, accuracy, sensitivity,
                                         ///< specificity, of two classes
};

struct Uncertainty {
  bool by_patient = false;  ///< false: no groups are known, and images were drawn one by one
  std::int64_t clusters = 0, scarcest = 0;
  double quantum = 0.0;  ///< what one patient of the scarcest class moves: see Clusters
  /// Empty when the scarcest class has fewer than fewest_for_interval patients.
  std::vector<FigureWithIntervals> figures;
};

/// Throws std::invalid_argument as bootstrap() and require_consistent() do.
Uncertainty uncertainty_of(const Outcomes& outcomes, const DecisionRule& rule,
                           const BootstrapOptions& options = {});

}  // namespace bcx::eval
