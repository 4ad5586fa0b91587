// The tree-structured Parzen estimator.
#pragma once

#include "sweep/sampler.h"

namespace bcx::sweep {

/// Bergstra, Bardenet, Bengio and Kegl, "Algorithms for hyper-parameter optimization", NIPS 2011,
/// with the joint density of all axes (Falkner, Klein and Hutter, "BOHB", ICML 2018) in place of
/// one for each: what is good together is drawn together.
///
/// The first `startup` trials are random. Then the finished trials are parted into the best
/// ceil(0.1 n) (at most 25) and the rest. Each part's density is a weighted sum of kernels, one for
/// each trial and one wide prior; a kernel is a product over the axes. Of `candidates` draws from
/// the density of the good part the one with the largest ratio of the two densities is taken.
///
/// - Ranges: normal distributions truncated to the axis, of width the larger distance to the
///   neighbours (of the outermost: to the only one), at least the axis's width over min(100, n + 2)
///   (hyperopt's "magic clip"). A whole number has the mass of its part of the axis.
/// - Choices: the trial's own, smoothed by 1 / (n + 1) for every choice.
/// - An axis that was inactive in a trial is uniform in that trial's kernel.
/// - Weights: the latest 25 trials of a part 1, older ones rising evenly from 1 / n (Bergstra,
/// Yamins
///   and Cox, "Making a science of model search", ICML 2013). The prior has 1.
///
/// Widths, weights and smoothing are those that Optuna's sampler documents; tools/peers/samplers.py
/// puts both side by side.
class Tpe : public Sampler {
 public:
  static constexpr std::int64_t startup = 10, candidates = 24;

  Tpe(Space space, std::uint64_t seed);
  std::optional<Point> propose(std::int64_t number,
                               const std::vector<Outcome>& finished) const override;

 private:
  Space space_;
  std::uint64_t seed_;
};

}  // namespace bcx::sweep
