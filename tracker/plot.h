// Pictures in a terminal: sparklines and plots of braille dots (U+2800, 2 x 4 dots a character).
#pragma once

#include <span>
#include <string>
#include <vector>

#include "tracker/bucket.h"

namespace bcx::tracker {

/// `▁▂▅▇█`: at most `width` characters, from the least finite value to the greatest. Several values
/// that share a character show the one farthest from the mean, so that a spike is not lost; NaN
/// and infinity are blanks.
std::string sparkline(std::span<const double> values, int width);

struct PlotSeries {
  std::string name;
  std::vector<double> x, y;  ///< of equal length; x finite; y that is not finite leaves a gap
};

/// The least and the greatest value of each bucket at their places, in the order of steps; a bucket
/// without a finite value is a gap. `epochs`: x is the epoch (within a bucket: by proportion), else
/// the step.
PlotSeries extremes(std::span<const Bucket> buckets, bool epochs = false);

struct PlotSize {
  int width = 80, height = 16;  ///< characters, axes and labels included in the width
};

/// One series as a line with axes, tick labels and the axis names, ending in a newline. Every point
/// is drawn, however many there are. `log`: the values' decimal logarithm is drawn, under labels in
/// the values' own units; what is not positive leaves a gap.
std::string plot(const PlotSeries& series, const std::string& x_name, PlotSize size,
                 bool log = false);

}  // namespace bcx::tracker
