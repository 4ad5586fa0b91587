#include "sweep/space.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <stdexcept>

namespace bcx::sweep {
namespace {

double number(const config::Value& value) {
  if (const auto* whole = std::get_if<std::int64_t>(&value)) return static_cast<double>(*whole);
  if (const auto* real = std::get_if<double>(&value)) return *real;
  throw std::invalid_argument("no number");
}

/// Points of a grid, conditions kept: each combination of the axes that are active once.
void expand(const Space& space, std::size_t axis, Point& point, std::set<std::string>& found) {
  if (axis == space.axes.size()) {
    found.insert(text_of(point));
    return;
  }
  const auto& one = space.axes[axis];
  if (!one.active(point)) return expand(space, axis + 1, point, found);
  for (const auto& value : one.grid()) {
    point[one.key] = value;
    expand(space, axis + 1, point, found);
  }
  point.erase(one.key);
}

}  // namespace

config::Value Axis::at(double u) const {
  u = std::clamp(u, 0.0, std::nextafter(1.0, 0.0));
  switch (scale) {
    case Scale::choices:
      return choices[static_cast<std::size_t>(u * static_cast<double>(choices.size()))];
    case Scale::uniform:
      return low + u * (high - low);
    case Scale::log_uniform:
      return low * std::pow(high / low, u);
    case Scale::integer:
      return static_cast<std::int64_t>(low + std::floor(u * (high - low + 1)));
  }
  return {};
}

double Axis::coordinate(const config::Value& value) const {
  const double x = number(value);
  switch (scale) {
    case Scale::uniform:
      return high > low ? (x - low) / (high - low) : 0.5;
    case Scale::log_uniform:
      return high > low ? std::log(x / low) / std::log(high / low) : 0.5;
    case Scale::integer:
      return (x - low + 0.5) / (high - low + 1);
    case Scale::choices:
      break;
  }
  throw std::invalid_argument("choices have no order");
}

std::vector<config::Value> Axis::grid() const {
  if (scale == Scale::choices) return choices;
  std::vector<config::Value> values;
  if (scale == Scale::integer && (points == 0 || static_cast<double>(points) > high - low)) {
    for (auto i = static_cast<std::int64_t>(low); i <= static_cast<std::int64_t>(high); ++i)
      values.emplace_back(i);
    return values;
  }
  for (std::int64_t i = 0; i < points; ++i) {
    const double u = points == 1 ? 0.5 : static_cast<double>(i) / static_cast<double>(points - 1);
    if (scale == Scale::integer)
      values.emplace_back(static_cast<std::int64_t>(std::lround(low + u * (high - low))));
    else if (scale == Scale::log_uniform)
      values.emplace_back(low * std::pow(high / low, u));
    else
      values.emplace_back(low + u * (high - low));
  }
  return values;
}

bool Axis::active(const Point& point) const {
  return std::all_of(when.begin(), when.end(), [&](const auto& condition) {
    const auto found = point.find(condition.first);
    return found != point.end() && found->second == condition.second;
  });
}

Point Space::at(const std::vector<double>& coordinates) const {
  Point point;
  for (std::size_t i = 0; i < axes.size(); ++i)
    if (axes[i].active(point)) point[axes[i].key] = axes[i].at(coordinates[i]);
  return point;
}

std::int64_t Space::size() const {
  for (const auto& axis : axes)
    if (axis.scale == Axis::Scale::uniform || axis.scale == Axis::Scale::log_uniform) return 0;
  return grid_size();
}

std::int64_t Space::grid_size() const {
  Point point;
  std::set<std::string> found;
  expand(*this, 0, point, found);
  return std::ssize(found);
}

std::string text_of(const Point& point) {
  std::string text;
  for (const auto& [key, value] : point)
    text += (text.empty() ? "" : " ") + key + "=" + config::to_toml(value);
  return text;
}

}  // namespace bcx::sweep
