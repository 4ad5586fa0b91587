// A stretch of a metric's series as one row: what a curve of any size is drawn from.
#pragma once

#include <cstdint>
#include <optional>

namespace bcx::tracker {

/// The values of a stretch that are neither NaN nor infinite.
struct FiniteValues {
  double min = 0, max = 0, mean = 0;
  std::int64_t min_step = 0, max_step = 0;  ///< the first of equals
};

struct Bucket {
  std::int64_t first_step = 0, last_step = 0;
  double first_epoch = 0, last_epoch = 0;
  std::int64_t first_time = 0, last_time = 0;  ///< microseconds since 1970, UTC
  std::int64_t count = 0, nan_count = 0, infinite_count = 0;
  std::optional<FiniteValues> finite;  ///< none when count is nan_count + infinite_count

  std::int64_t finite_count() const { return count - nan_count - infinite_count; }
};

}  // namespace bcx::tracker
