// A band around a ROC curve, by resampling patients.
#pragma once

#include <vector>

#include "eval/bootstrap.h"

namespace bcx::eval {

/// The curve's height at a false positive rate: the highest point there, and between points on the
/// straight line that joins them (vertical averaging: Fawcett, Pattern Recognition Letters 27, 861,
/// 2006).
struct RocBandPoint {
  double false_positive_rate, true_positive_rate;
  double low, high;  ///< percentile interval of the height, at this rate alone
};

/// At 0, 0.02 .. 1. Each point's interval covers that point, not the curve as a whole. Empty when a
/// score is not a number, when a class is absent, or when the scarcer class has fewer than
/// fewest_for_interval clusters. `positives`, `scores` and the clusters' samples are aligned.
/// Throws std::invalid_argument as bootstrap() does.
std::vector<RocBandPoint> roc_band(const std::vector<bool>& positives, const Scores& scores,
                                   const Clusters& clusters, const BootstrapOptions& options = {});

}  // namespace bcx::eval
