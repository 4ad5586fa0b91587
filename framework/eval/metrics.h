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

/// What the metrics of decisions are made of: of each class, how many samples are it, were called
/// it, and both. O(classes), where a confusion matrix has classes * classes cells.
class DecisionCounts {
 public:
  explicit DecisionCounts(int classes);
  void add(Label target, Label decision, std::int64_t times = 1) {
    targets_[index(target)] += times;
    decisions_[index(decision)] += times;
    if (target == decision) right_[index(target)] += times;
    total_ += times;
  }
  /// Of one class, what several calls of add() would have counted; the total grows by `targets`.
  void add_class(Label of_class, std::int64_t targets, std::int64_t decisions, std::int64_t right);

  int classes() const { return static_cast<int>(targets_.size()); }
  std::int64_t total() const { return total_; }
  std::int64_t targets_of(int of_class) const;    ///< samples of the class
  std::int64_t decisions_of(int of_class) const;  ///< samples called the class
  std::int64_t right_of(int of_class) const;      ///< samples of the class called the class

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
  static std::size_t index(Label label) { return static_cast<std::size_t>(label); }
  template <typename Of>
  Metric macro(Of of) const;
  std::vector<std::int64_t> targets_, decisions_, right_;
  std::int64_t total_ = 0;
};

/// Counts of (target, decision) pairs, and the metrics that follow from them alone. Only pairs that
/// occur take memory.
class Confusion : public DecisionCounts {
 public:
  struct Cell {
    Label target, decision;
    std::int64_t count;
  };
  Confusion(std::span<const Label> targets, std::span<const Label> decisions, int classes);

  std::int64_t count(int target, int decision) const;
  /// The pairs that occur, by target, then decision.
  const std::vector<Cell>& cells() const { return cells_; }

 private:
  std::vector<Cell> cells_;
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
