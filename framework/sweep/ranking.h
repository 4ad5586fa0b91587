// Which point is best, and how sure that is.
#pragma once

#include <cstdint>
#include <vector>

#include "sweep/ledger.h"

namespace bcx::sweep {

/// The trials of one point: one for each seed.
struct Ranked {
  Point point;
  std::vector<std::int64_t> trials;  ///< numbers
  std::vector<double> values;        ///< of those that have one, as measured
  double mean = 0;                   ///< of `values`
  double bound = 0;  ///< what the mean is at least (minimising: at most) with 95 % confidence
  std::int64_t epochs = 0;  ///< the fewest that one of its trials has had
  bool finished = false;    ///< all of its trials
  bool broken = false;      ///< one of its trials failed or is infeasible
};

/// Best first: points whose trials all finished, by their bounds; then those that wait at a rung or
/// still run, by epochs and bounds; then those with a trial that failed. Points without any value
/// are left out, confirmations too.
///
/// The bound is mean - t(0.95, f) s / sqrt(n), where s is the standard deviation over seeds, pooled
/// over all points with several (f degrees of freedom): with few seeds each, the spread of one
/// point's own would decide by chance. With one seed everywhere it is the value itself.
std::vector<Ranked> rank(const Plan& plan, const std::vector<Trial>& trials,
                         const std::vector<Course>& courses);

}  // namespace bcx::sweep
