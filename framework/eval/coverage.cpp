#include "eval/coverage.h"

#include <algorithm>
#include <array>

namespace bcx::eval {

std::optional<MeasuredCoverage> measured_coverage(std::int64_t scarcest) {
  static constexpr std::array<MeasuredCoverage, 4> measured{{{5, 12, 0.867, 0.896, 0.949},
                                                             {8, 16, 0.885, 0.905, 0.933},
                                                             {24, 58, 0.934, 0.945, 0.952},
                                                             {100, 100, 0.947, 0.954, 0.954}}};
  std::optional<MeasuredCoverage> found;
  for (const auto& one : measured)
    if (std::min(one.negatives, one.positives) <= scarcest) found = one;
  return found;
}

}  // namespace bcx::eval
