// Axes of plots: where ticks stand and what they say.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace bcx::tracker {

struct AxisRange {
  double low = 0, high = 0;
  /// Where `value` lies, 0 at the low end, 1 at the high one; 0.5 in an empty range.
  double share(double value) const;
};

/// From the least finite value to the greatest; none without any.
std::optional<AxisRange> range_of(std::span<const double> values);
/// Both together.
std::optional<AxisRange> joined(std::optional<AxisRange> a, std::optional<AxisRange> b);

/// About `count` places within the range at multiples of 1, 2 or 5 times a power of ten (Heckbert:
/// "Nice numbers for graph labels", Graphics Gems, 1990). At least one.
std::vector<double> ticks(AxisRange range, int count);
/// The same on an axis of decimal logarithms: whole powers of ten, with 2 and 5 between them where
/// there is room; over less than a decade the logarithms of ticks().
std::vector<double> log_ticks(AxisRange range, int count);

/// Six significant digits: `0.25`, `1e-07`.
std::string tick_label(double value);

}  // namespace bcx::tracker
