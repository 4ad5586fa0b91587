// The best value so far in a callback's JSON state: a number, or null before the first one.
#pragma once

#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>

namespace callbacks {

inline nlohmann::json to_json(std::optional<double> best) {
  if (!best) return nullptr;
  if (std::isinf(*best)) return *best > 0 ? "inf" : "-inf";  // JSON has no infinity
  return *best;
}

inline std::optional<double> best_from(const nlohmann::json& json) {
  if (json.is_null()) return std::nullopt;
  if (json.is_string()) return json == "inf" ? INFINITY : -INFINITY;
  return json.get<double>();
}

}  // namespace callbacks
