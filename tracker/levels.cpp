#include "tracker/levels.h"

#include <cmath>

namespace bcx::tracker {

Bucket bucket_of(const Point& point) {
  Bucket bucket;
  bucket.first_step = bucket.last_step = point.step;
  bucket.first_epoch = bucket.last_epoch = point.epoch;
  bucket.first_time = bucket.last_time = point.time;
  bucket.count = 1;
  if (std::isnan(point.value)) {
    bucket.nan_count = 1;
  } else if (std::isinf(point.value)) {
    bucket.infinite_count = 1;
  } else {
    bucket.finite = FiniteValues{point.value, point.value, point.value, point.step, point.step};
  }
  return bucket;
}

void merge_into(Bucket& bucket, const Bucket& next) {
  if (next.finite && !bucket.finite) {
    bucket.finite = next.finite;
  } else if (next.finite) {
    auto& mine = *bucket.finite;
    const auto& theirs = *next.finite;
    const auto had = static_cast<double>(bucket.finite_count());
    const auto adds = static_cast<double>(next.finite_count());
    mine.mean = mine.mean * (had / (had + adds)) + theirs.mean * (adds / (had + adds));
    if (theirs.min < mine.min) mine.min = theirs.min, mine.min_step = theirs.min_step;
    if (theirs.max > mine.max) mine.max = theirs.max, mine.max_step = theirs.max_step;
  }
  bucket.last_step = next.last_step;
  bucket.last_epoch = next.last_epoch;
  bucket.last_time = next.last_time;
  bucket.count += next.count;
  bucket.nan_count += next.nan_count;
  bucket.infinite_count += next.infinite_count;
}

std::int64_t points_of_level(int level) {
  std::int64_t points = level == 0 ? 1 : level_1_points;
  for (int at = 1; at < level; ++at) points *= level_factor;
  return points;
}

void Levels::add(int level, const Bucket& bucket, const Take& take) {
  last_step_ = bucket.last_step;
  Bucket part = bucket;
  for (; level < level_count; ++level) {
    Open& open = open_[static_cast<std::size_t>(level)];
    if (open.parts == 0)
      open.bucket = part;
    else
      merge_into(open.bucket, part);
    if (++open.parts < (level == 0 ? level_1_points : level_factor)) return;
    open.parts = 0;
    part = open.bucket;
    take(level + 1, part);
  }
}

}  // namespace bcx::tracker
