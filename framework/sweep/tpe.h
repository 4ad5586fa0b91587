// The tree-structured Parzen estimator.
#pragma once

#include "sweep/sampler.h"

namespace bcx::sweep {

/// Bergstra, Bardenet, Bengio and Kegl, "Algorithms for hyper-parameter optimization", NIPS 2011.
/// The first `startup` trials are random. Then, axis by axis, the finished trials are parted into
/// the best ceil(0.1 n) (at most 25) and the rest; each part's values make a mixture of normal
/// distributions truncated to the axis, one around each value and one wide prior; of `candidates`
/// draws from the good mixture the one with the largest ratio of the two densities is taken.
/// Choices have a categorical distribution smoothed by the prior.
///
/// A kernel's width is the larger distance to its neighbours, at least the axis's width over
/// min(100, n + 1) (the "magic clip" of hyperopt).
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
