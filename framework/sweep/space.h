// What a sweep searches: axes over keys of an experiment, and points on them.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "config/params.h"

namespace bcx::sweep {

/// One trial's values by key. A key whose condition does not hold is absent.
using Point = std::map<std::string, config::Value, std::less<>>;

/// One `[[sweep.parameter]]`: a key and the values it may take.
struct Axis {
  enum class Scale {
    choices,      ///< one of a list, in no order
    uniform,      ///< real, low <= x <= high
    log_uniform,  ///< real, evenly in the logarithm; low > 0
    integer       ///< whole numbers, both ends included
  };
  std::string key;
  Scale scale = Scale::choices;
  std::vector<config::Value> choices;
  double low = 0, high = 0;
  std::int64_t points = 0;  ///< of a grid; 0: all choices, all integers; reals need it
  /// The axis exists only where these keys, axes before it, have these values.
  Point when;

  /// A value from a coordinate in [0, 1): equal parts for choices and integers, evenly (in the
  /// logarithm) for reals.
  config::Value at(double coordinate) const;
  /// The reverse, for ordered scales: where a value lies in [0, 1]; of an integer the middle of its
  /// part. Throws std::invalid_argument for choices.
  double coordinate(const config::Value& value) const;
  /// Values of a grid, ascending; ends included.
  std::vector<config::Value> grid() const;
  bool ordered() const { return scale != Scale::choices; }
  bool active(const Point& point) const;
};

/// All axes, in the order in which they are decided: conditions name earlier ones.
struct Space {
  std::vector<Axis> axes;

  /// One coordinate in [0, 1) per axis → the point, inactive axes left out.
  Point at(const std::vector<double>& coordinates) const;
  /// How many points there are when every axis is finite; 0: not finite.
  std::int64_t size() const;
  /// How many points a grid has. Every real axis has `points`.
  std::int64_t grid_size() const;
};

/// One text per point, equal for equal points: `train.batch_size=16 optimizer.learning_rate=0.001`.
std::string text_of(const Point& point);

}  // namespace bcx::sweep
