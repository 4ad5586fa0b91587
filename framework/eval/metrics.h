// Metrics of a classifier, from decisions or from scores, in float64.
//
// Values agree with scikit-learn 1.x to 1e-12. An empty std::optional is "undefined": a share of
// nothing, an AUC of one class. Where scikit-learn defines a value all the same (MCC 0, balanced
// accuracy over the classes present) it is kept. All functions are pure, O(n) or O(n log n), and
// safe on any thread; std::invalid_argument for spans of different lengths, and for labels outside
// 0 .. classes - 1.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "eval/scores.h"

namespace bcx::eval {

using Metric = std::optional<double>;

/// Counts of (target, decision) pairs, and the metrics that follow from them alone.
class Confusion {
 public:
  Confusion(std::span<const Label> targets, std::span<const Label> decisions, int classes);
  /// From counts [target, decision], classes * classes of them.
  Confusion(std::vector<std::int64_t> counts, int classes);

  int classes() const { return classes_; }
  std::int64_t count(int target, int decision) const;
  std::int64_t total() const;
  std::int64_t targets_of(int of_class) const;    ///< samples of the class (row sum)
  std::int64_t decisions_of(int of_class) const;  ///< samples called the class (column sum)

  Metric accuracy() const;                 ///< share of right decisions
  Metric balanced_accuracy() const;        ///< mean recall over the classes present
  Metric majority_baseline() const;        ///< accuracy of always saying the most frequent class
  Metric precision(int of_class) const;    ///< TP / (TP + FP)
  Metric recall(int of_class) const;       ///< TP / (TP + FN): sensitivity, for the positive class
  Metric specificity(int of_class) const;  ///< TN / (TN + FP)
  Metric f1(int of_class) const;           ///< 2 TP / (2 TP + FP + FN)
  /// Means over the classes that occur among targets or decisions, undefined ones counting 0
  /// (scikit-learn's average="macro").
  Metric macro_precision() const;
  Metric macro_recall() const;
  Metric macro_f1() const;
  /// Matthews' correlation coefficient, for any number of classes (Gorodkin 2004); 0 when a margin
  /// is constant.
  Metric mcc() const;

 private:
  template <typename Of>
  Metric macro(Of of) const;
  int classes_;
  std::vector<std::int64_t> counts_;  // [target, decision]
};

/// Area under the ROC curve: the probability that a positive scores above a negative, ties counting
/// half (Mann-Whitney, exact). Undefined unless both kinds occur and every score is a number.
/// `positives[i]` says whether sample i is positive.
Metric roc_auc(const std::vector<bool>& positives, const Scores& scores);
/// Mean of the one-against-rest AUCs; undefined unless every class occurs.
Metric roc_auc_macro(std::span<const Label> targets, const Probabilities& probabilities);
/// Sum of (R_n - R_(n-1)) P_n over falling thresholds, without interpolation; undefined without
/// positives.
Metric average_precision(const std::vector<bool>& positives, const Scores& scores);

/// Mean squared difference between the positive class's probability and 0 or 1.
Metric brier(const std::vector<bool>& positives, const Scores& probabilities);
/// Mean -log of the target's probability, clipped to [2^-52, 1 - 2^-52].
Metric log_loss(std::span<const Label> targets, const Probabilities& probabilities);
/// Expected calibration error (Guo et al. 2017): equal-width bins (l, r] of the predicted class's
/// probability, weighted mean of |accuracy - mean confidence|.
Metric expected_calibration_error(std::span<const Label> targets,
                                  const Probabilities& probabilities, int bins = 15);

/// `targets[i] == of_class` for all i.
std::vector<bool> is_class(std::span<const Label> targets, int of_class);

}  // namespace bcx::eval
