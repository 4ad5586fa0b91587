// Curves at any size: stretches of a metric's series, each told by its extremes, at several levels.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <vector>

#include "tracker/bucket.h"
#include "tracker/reader.h"

namespace bcx::tracker {

/// `point` alone in a bucket.
Bucket bucket_of(const Point& point);
/// Adds what comes after it. The mean is kept as a weighted mean, which cannot overflow.
void merge_into(Bucket& bucket, const Bucket& next);

/// A bucket of level 1 holds 64 points, one of each further level four of the level below: 64, 256,
/// 1,024, ... The rows of all levels are 2 % of the points'.
inline constexpr std::int64_t level_1_points = 64;
inline constexpr std::int64_t level_factor = 4;
inline constexpr int level_count = 12;  // up to 268 million points a bucket
/// Points of a full bucket of `level` (0: a point).
std::int64_t points_of_level(int level);

/// The buckets of one series that are not full yet. A full one is given away and becomes a part of
/// the next level's. Points come in the order of steps.
class Levels {
 public:
  /// Takes the full buckets: level (1, 2, ...) and bucket, lower levels first.
  using Take = std::function<void(int level, const Bucket& bucket)>;

  void add(const Point& point, const Take& take) { add(0, bucket_of(point), take); }
  /// Adds a full bucket of `level` (0: a point).
  void add(int level, const Bucket& bucket, const Take& take);

  std::int64_t last_step() const { return last_step_; }

 private:
  struct Open {
    Bucket bucket;
    std::int64_t parts = 0;
  };
  std::vector<Open> open_ = std::vector<Open>(level_count);  // [level - 1]
  std::int64_t last_step_ = std::numeric_limits<std::int64_t>::min();
};

}  // namespace bcx::tracker
