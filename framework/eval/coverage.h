// What nominal 95 % intervals are worth with few patients.
#pragma once

#include <cstdint>
#include <optional>

namespace bcx::eval {

/// How often 95 % intervals of the AUC covered the truth in simulated studies of so many patients
/// with 10 images each (tests/slow/coverage; the table of docs/evaluation.md). Shares.
struct MeasuredCoverage {
  int negatives, positives;  ///< patients of the simulated studies
  double percentile, bca, small_sample;
};

/// That of the largest simulated size whose scarcer class had no more patients than `scarcest`;
/// none below 5. A class, not a promise: real patients are not normally distributed.
std::optional<MeasuredCoverage> measured_coverage(std::int64_t scarcest);

}  // namespace bcx::eval
