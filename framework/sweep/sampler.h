// How a sweep chooses its next trial. A proposal is a pure function of (seed, trial number, what
// finished before): workers that ask for the same number get the same point, and a sweep that was
// killed goes on with the points it would have drawn.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "sweep/space.h"

namespace bcx::sweep {

/// A finished trial; smaller is better (a sweep that maximises passes negative values). A value
/// that is not finite counts as worst.
struct Outcome {
  Point point;
  double value = 0;
};

class Sampler {
 public:
  virtual ~Sampler() = default;
  /// The point of trial `number` (0-based). None: there is nothing left to try (a grid's end).
  virtual std::optional<Point> propose(std::int64_t number,
                                       const std::vector<Outcome>& finished) const = 0;
};

/// grid     every combination, the last axis fastest; axes without a condition first
/// random   independent uniform draws
/// sobol    the Sobol sequence (Joe and Kuo 2008), shifted by a random vector modulo 1 (Cranley and
///          Patterson 1976)
/// tpe      tree-structured Parzen estimator (Bergstra et al. 2011), see tpe.h
/// Throws bcx::Error (usage) for another name, and for a grid over a real axis without `points`.
std::unique_ptr<Sampler> make_sampler(std::string_view method, Space space, std::uint64_t seed);

}  // namespace bcx::sweep
