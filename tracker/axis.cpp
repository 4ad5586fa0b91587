#include "tracker/axis.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace bcx::tracker {

double AxisRange::share(double value) const {
  // Halved before they are subtracted: the whole range of doubles does not fit a double.
  return high > low ? (value / 2 - low / 2) / (high / 2 - low / 2) : 0.5;
}

std::optional<AxisRange> range_of(std::span<const double> values) {
  std::optional<AxisRange> range;
  for (const double v : values)
    if (std::isfinite(v)) range = joined(range, AxisRange{v, v});
  return range;
}

std::optional<AxisRange> joined(std::optional<AxisRange> a, std::optional<AxisRange> b) {
  if (!a || !b) return a ? a : b;
  return AxisRange{std::min(a->low, b->low), std::max(a->high, b->high)};
}

namespace {

/// The least of 1, 2, 5 times a power of ten of which at most `count` steps span the range.
double nice_step(AxisRange range, int count) {
  const double rough = (range.high - range.low) / std::max(1, count);
  const double power = std::pow(10.0, std::floor(std::log10(rough)));
  for (const double factor : {1.0, 2.0, 5.0})
    if (factor * power >= rough * (1 - 1e-9)) return factor * power;
  return 10 * power;
}

}  // namespace

std::vector<double> ticks(AxisRange range, int count) {
  if (!(range.high > range.low)) return {range.low};
  const double step = nice_step(range, count);
  if (!std::isfinite(step) || step <= 0) return {range.low, range.high};
  std::vector<double> out;
  for (double i = std::ceil(range.low / step - 1e-9); i * step <= range.high + step * 1e-9; ++i) {
    out.push_back(i == 0 ? 0.0 : i * step);
    if (out.size() > 100) break;  // steps below the numbers' precision
  }
  if (out.empty()) out.push_back(range.low);
  return out;
}

std::vector<double> log_ticks(AxisRange range, int count) {
  const double first = std::ceil(range.low - 1e-9), last = std::floor(range.high + 1e-9);
  if (last - first < 1) {
    std::vector<double> out;
    for (const double value : ticks({std::pow(10, range.low), std::pow(10, range.high)}, count))
      if (value > 0) out.push_back(std::log10(value));
    return out.empty() ? std::vector{range.low} : out;
  }
  const double every = std::max(1.0, std::ceil((last - first + 1) / std::max(1, count)));
  const bool between = (last - first + 2) * 3 <= count;
  std::vector<double> out;
  for (double power = between ? first - 1 : first; power <= last; power += every) {
    out.push_back(power);
    for (const double factor : {2.0, 5.0})
      if (between) out.push_back(power + std::log10(factor));
  }
  std::erase_if(out, [&](double at) { return at < range.low - 1e-9 || at > range.high + 1e-9; });
  return out;
}

std::string tick_label(double value) {
  return fmt::format("{:.6g}", value);
}

}  // namespace bcx::tracker
