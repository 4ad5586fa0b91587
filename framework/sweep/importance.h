// Which parameters mattered.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sweep/sampler.h"

namespace bcx::sweep {

/// A parameter's part in the variance of the objective over the whole space.
struct Importance {
  std::string key;
  double main = 0;    ///< alone: Var(E[f | x]) / Var(f); over all parameters they sum to at most 1
  double total = 0;   ///< with everything it takes part in: 1 - Var(E[f | all but x]) / Var(f)
  double spread = 0;  ///< standard deviation of `total` over the forest's trees
};

struct Importances {
  std::vector<Importance> parameters;  ///< largest total first; empty where `problem` says why
  /// R² of the forest on trials that a tree did not see. At or below 0 it knows no more than the
  /// mean, and the shares above mean nothing.
  double explained = 0;
  std::int64_t trials = 0;  ///< that have a finite value
  std::string problem;      ///< `too few trials: 5 with a value, and 8 are needed for 2 parameters`
};

/// The functional analysis of variance (Hutter, Hoos and Leyton-Brown, "An efficient approach for
/// assessing hyperparameter importance", ICML 2014): a random forest of 64 trees (bootstrapped, all
/// axes at every split, grown to the end) is fitted to the trials; a tree is constant on boxes, so
/// that the variance of its means over any of the axes is a finite sum. Shares are the mean over
/// trees.
///
/// The space is the cube of Space::at(): ranges evenly (log_uniform in the logarithm), choices each
/// with the same weight, and an axis without effect where it is inactive. A trial without an axis's
/// value therefore lies on both sides of a split of that axis, weighted by their sizes.
///
/// Values that are not finite are left out. Fewer than max(8, 4 axes) trials, or all of the same
/// value, are a `problem`. Equal arguments give equal results.
///
/// Costs: trees · (leaves² · axes), which is 0.1 s for 500 trials and 5 axes.
Importances importance(const Space& space, const std::vector<Outcome>& trials,
                       std::uint64_t seed = 0);

}  // namespace bcx::sweep
