// Pictures in a terminal: sparklines and plots of braille dots (U+2800, 2 x 4 dots a character).
#pragma once

#include <span>
#include <string>
#include <string_view>
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

struct PlotStyle {
  int width = 80, height = 16;  ///< characters, axes and labels included in the width
  bool log = false;     ///< decimal logarithms under labels in the values' own units; what is not
                        ///< positive leaves a gap
  bool colour = false;  ///< several series are told apart by terminal colours, else by signs
};

/// Lines with axes, tick labels and the axis' name, ending in a newline; above them the name of the
/// one series, or a legend. Every point is drawn, however many there are.
std::string plot(std::span<const PlotSeries> series, const std::string& x_name,
                 const PlotStyle& style);

/// How the series at this place is marked in a plot of several: a sign (eight, then again from the
/// first), and that or a coloured dash for a legend.
std::string_view plot_sign(std::size_t series);
std::string plot_legend(std::size_t series, bool colour);

}  // namespace bcx::tracker
