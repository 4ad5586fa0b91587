// Seconds in words.
#pragma once

#include <cmath>
#include <cstdint>
#include <string>

namespace callbacks {

/// "42 s", "5 min 3 s", "2 h 7 min".
inline std::string duration(double seconds) {
  const auto whole = static_cast<std::int64_t>(std::llround(seconds));
  const auto text = [](std::int64_t count, const char* unit) {
    return std::to_string(count) + " " + unit;
  };
  if (whole < 60) return text(whole, "s");
  if (whole < 3600) return text(whole / 60, "min") + " " + text(whole % 60, "s");
  return text(whole / 3600, "h") + " " + text(whole % 3600 / 60, "min");
}

}  // namespace callbacks
