// Curves over all thresholds, for plots and for choosing one.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "eval/scores.h"

namespace bcx::eval {

/// ROC curve from (0, 0) to (1, 1), one point per distinct score, thresholds falling; the first
/// threshold is +infinity (nothing is positive). scikit-learn's roc_curve(drop_intermediate=False).
struct RocCurve {
  std::vector<double> false_positive_rate, true_positive_rate, threshold;
};
/// Empty unless both kinds occur and every score is a number.
std::optional<RocCurve> roc_curve(const std::vector<bool>& positives, const Scores& scores);

/// Precision and recall for each distinct score as threshold, thresholds rising, and the point (1,
/// 0) at the end, which has no threshold: precision and recall are one longer. scikit-learn's
/// precision_recall_curve.
struct PrecisionRecallCurve {
  std::vector<double> precision, recall, threshold;
};
/// Empty without positives, or when a score is not a number.
std::optional<PrecisionRecallCurve> precision_recall_curve(const std::vector<bool>& positives,
                                                           const Scores& scores);

/// Reliability diagram: equal-width bins (l, r] of the predicted class's probability. Empty bins
/// have count 0.
struct CalibrationBin {
  std::int64_t count = 0;
  double confidence = 0.0;  ///< mean probability of the predicted class
  double accuracy = 0.0;
};
std::vector<CalibrationBin> calibration_curve(std::span<const Label> targets,
                                              const Probabilities& probabilities, int bins = 15);

/// Decision curve (Vickers and Elkin 2006): what acting on the positives gains per person, in true
/// positives, when a false positive costs threshold / (1 - threshold) of one:
///
///     net benefit = TP / n - FP / n * threshold / (1 - threshold)
///
/// for "positive when probability >= threshold". `treat_all` is the same for calling everybody
/// positive; calling nobody positive has net benefit 0. A model is of use at thresholds where its
/// curve lies above both.
struct DecisionPoint {
  double threshold, net_benefit, treat_all;
};
/// At 0.01, 0.02 .. 0.99. Empty without samples, or when a probability is not a number.
std::vector<DecisionPoint> decision_curve(const std::vector<bool>& positives,
                                          const Scores& probabilities);

}  // namespace bcx::eval
