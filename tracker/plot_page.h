// Plots as files that need nothing else: SVG, and a web page around it.
#pragma once

#include <span>
#include <string>

#include "tracker/plot.h"

namespace bcx::tracker {

struct PlotPage {
  std::string title, x_name;  ///< as text; nothing in them or in series' names becomes markup
  bool log = false;           ///< as in PlotStyle
};

/// An SVG document, 960 wide: axes, grid, legend; series in colours that people with any colour
/// vision tell apart (Okabe and Ito, 2008), from the ninth on also by dashes. Series without a
/// value to draw stand in the legend alone.
std::string svg_plot(std::span<const PlotSeries> series, const PlotPage& page);

/// A page with that picture, whose script shows the values under the pointer. No other file and no
/// network are asked for.
std::string html_plot(std::span<const PlotSeries> series, const PlotPage& page);

}  // namespace bcx::tracker
