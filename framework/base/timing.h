// Measuring how long something takes.
#pragma once

#include <algorithm>
#include <chrono>
#include <vector>

namespace bcx {

inline double seconds_since(std::chrono::steady_clock::time_point begun) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
}

/// The middle one of repeated measurements, of which there is at least one; of two the longer.
inline double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace bcx
