// Intervals by resampling patients.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "eval/clusters.h"
#include "eval/figures.h"

namespace bcx::eval {

struct Interval {
  double low, high;
};

struct BootstrapOptions {
  std::int64_t resamples = 10'000;  ///< 100 or more
  std::uint64_t seed = 1;
  double level = 0.95;  ///< within (0, 1)
  int threads = 0;      ///< 0: as many as the machine has, at most 8. Does not change a digit.
};

/// One figure and how far it moves from resample to resample.
struct BootstrapFigure {
  std::string name;
  double estimate = 0.0;        ///< NaN: undefined
  double standard_error = 0.0;  ///< standard deviation over the resamples
  std::int64_t undefined = 0;   ///< resamples in which the figure was undefined
  /// Quantiles of the resamples (linear between order statistics). None when the estimate is
  /// undefined, or the figure was in more than 1 % of the resamples.
  std::optional<Interval> percentile;
  double acceleration = 0.0;  ///< of bca; NaN where no cluster moves the figure
  /// Bias-corrected and accelerated (Efron 1987), the acceleration from leaving out one cluster at
  /// a time (of more than 2,000: a group of them), within strata (Davison and Hinkley 1997, 5.3.2;
  /// scipy.stats.bootstrap's "BCa" of several samples). None where percentile is none, and where it
  /// does not exist: all resamples on one side of the estimate, or no cluster that matters.
  std::optional<Interval> bca;
};

/// Draws whole clusters with replacement, as many as there are, within each stratum; every resample
/// is a pure function of (seed, its number). With few clusters even this covers too little (see
/// docs/evaluation.md): whether an interval should be shown at all is Clusters::allow_interval().
/// O((resamples + 2,000) * samples). Throws std::invalid_argument for options out of range.
std::vector<BootstrapFigure> bootstrap(const Figures& figures, const Clusters& clusters,
                                       const BootstrapOptions& options = {});

/// The q-quantile of rising values, linear between order statistics (numpy's default). Not empty.
double quantile_of_sorted(std::span<const double> sorted, double q);

}  // namespace bcx::eval
