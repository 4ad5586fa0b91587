// One thing measured at several sizes, for `bcx bench growth`.
#pragma once

#include <fmt/format.h>

#include <cmath>
#include <string>
#include <vector>

#include "base/signals.h"
#include "base/table.h"
#include "base/text.h"
#include "bench.h"
#include "tracker/plot.h"

namespace bcx::cli {

// Linear within what start-up, sorting and the caches of a processor add or take away.
inline constexpr double most_growth = 1.2;

/// One thing measured at several sizes: figures as they come, the exponent at the end.
class Series {
 public:
  Series(const TakeFigure& take, std::string what, std::string of, std::string unit = "ms")
      : take_(take), what_(std::move(what)), of_(std::move(of)), unit_(std::move(unit)) {}

  void add(std::int64_t size, std::vector<double> values) {
    throw_if_stopped("measuring");
    auto figure = median_of(fmt::format("{}, {} {}", what_, grouped(size), of_), values, unit_);
    if (values.size() == 1) figure.least = figure.greatest = std::nullopt, figure.how = "once";
    take_(figure);
    curve.name = fmt::format("{} ({})", what_, of_);
    curve.x.push_back(std::log10(static_cast<double>(size)));
    curve.y.push_back(figure.value);
    costs_.push_back(fmt::format("{}: {}", grouped(size),
                                 figure.value >= 1'000 ? grouped(std::llround(figure.value))
                                                       : fmt::format("{:.3g}", figure.value)));
  }

  /// Tells the exponent; gives the whole series as a row of growth_table().
  std::vector<std::string> finish() const {
    std::vector<std::string> row{what_, of_, unit_, join(costs_, "; "), ""};
    if (curve.x.size() < 2) return row;
    const auto last = curve.x.size() - 1;
    const double exponent =
        std::log10(curve.y[last] / curve.y[last - 1]) / (curve.x[last] - curve.x[last - 1]);
    take_({what_ + ", exponent of growth", exponent, "", most_growth,
           fmt::format("between the last two numbers of {}", of_)});
    row.back() = fmt::format("{:.2f}", exponent);
    return row;
  }

  tracker::PlotSeries curve;

 private:
  const TakeFigure& take_;
  std::string what_, of_, unit_;
  std::vector<std::string> costs_;  // `1,000: 12.2`
};

inline Table growth_table() {
  return Table({{"what"}, {"of"}, {"unit"}, {"number: cost"}, {"growth", Align::right}});
}

}  // namespace bcx::cli
