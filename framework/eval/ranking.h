// Areas of a ranking whose clusters occur any number of times: internal to this library.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "eval/scores.h"

namespace bcx::eval {

/// Samples sorted once; each weighted() is one walk over them without a branch on the data.
class Ranking {
 public:
  Ranking(const std::vector<bool>& positives, const Scores& scores,
          std::span<const std::uint32_t> cluster_of_sample);

  struct Areas {
    double auc, average_precision;  ///< NaN where undefined
  };
  /// Equal to roc_auc() and average_precision() of the sample in which cluster c occurs weights[c]
  /// times. The AUC is exact below 2^63 pairs.
  Areas weighted(std::span<const std::uint32_t> weights, bool with_average_precision) const;

 private:
  struct Sample {
    std::uint32_t cluster;
    std::uint16_t positive;  // 0 or 1
    std::uint16_t ends_tie;  // the last of its score
  };
  std::vector<Sample> samples_;  // falling scores
  bool ordered_ = true;          // no score is not a number
};

}  // namespace bcx::eval
