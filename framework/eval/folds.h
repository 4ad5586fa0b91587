// Figures of a k-fold experiment, from the test predictions of its folds.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "eval/predictions.h"

namespace bcx::eval {

/// One figure over the folds. A fold in which it is undefined (the AUC of a fold with one class)
/// is left out of it.
struct FoldFigure {
  FoldFigure() = default;
  /// `values` is not empty.
  explicit FoldFigure(std::vector<std::pair<std::size_t, double>> values);

  std::vector<std::pair<std::size_t, double>> values;  ///< (fold, value), ascending
  double mean = 0;
  double sd = 0;  ///< with n - 1; not a number for a single value. The spread of the folds, not the
                  ///< standard error of the mean: folds share training images
};

struct FoldSummary {
  /// Aligned with the folds: the threshold of each, when there are two classes.
  std::vector<std::optional<double>> thresholds;
  std::map<std::string, FoldFigure> figures;  ///< named_metrics() without a prefix
  /// Of all folds' samples together, as named_metrics() calls them: what decisions give (accuracy,
  /// sensitivity, ...) from each fold's own threshold; `auc` and `average_precision` from ranks
  /// within the fold, since scores of different models have no common scale. Without figures of
  /// calibration, and without `auc` when a fold lacks a class (its ranks would be about nothing).
  std::vector<std::pair<std::string, double>> pooled;
  /// What these are figures of, fold after fold: decisions as probabilities of 0 and 1, and, where
  /// `auc` is given, ranks of the positive class.
  Outcomes decided;
  std::optional<Outcomes> ranked;
};

/// `folds[i]`: predictions of the samples that fold i's model was not trained on; a sample occurs
/// once. `rule`: a number, or how a threshold is chosen (threshold.h); a chosen one of fold i comes
/// from the predictions of the other folds and never from its own. Throws bcx::Error as
/// choose_threshold(), std::invalid_argument when the folds' classes differ or there is none.
FoldSummary summarise_folds(const std::vector<Predictions>& folds, std::string_view rule,
                            int positive);

/// Share of the fold's samples that score lower, ties counting half: (r + 1/2) / n with midranks r
/// from 0 (rank_correlation.h). Within (0, 1), and the same order as the scores'.
std::vector<double> ranks_within(const Scores& scores);

}  // namespace bcx::eval
