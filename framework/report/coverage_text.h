// What an interval is worth, beside the interval.
#pragma once

#include <fmt/format.h>

#include <string>

#include "eval/coverage.h"

namespace bcx::report {

/// A line for people; empty where nothing was measured.
inline std::string coverage_text(std::int64_t scarcest) {
  const auto measured = eval::measured_coverage(scarcest);
  if (!measured) return "";
  return fmt::format(
      "in simulations with {} + {} patients such intervals of the AUC covered {:.0f} % (BCa), "
      "{:.0f} % (percentile), {:.0f} % (small sample)",
      measured->negatives, measured->positives, 100.0 * measured->bca, 100.0 * measured->percentile,
      100.0 * measured->small_sample);
}

}  // namespace bcx::report
