// A chart as plotly.js draws it, with the same numbers as a table for those who cannot see it.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "report/html.h"

namespace bcx::report {

/// What an axis shows.
struct Axis {
  std::string title;
  std::vector<double> range = {};  ///< low, high; empty: by the data
  bool logarithmic = false;
  std::vector<std::string> ticks = {};  ///< labels at 0, 1, ...; empty: numbers
  bool hidden = false;
};

struct Chart {
  std::string id;     ///< unique on the page, [a-z0-9-]
  std::string title;  ///< plain text, as the rest
  std::string note;   ///< how to read it
  Axis x, y;
  nlohmann::ordered_json traces = nlohmann::ordered_json::array();
  std::vector<HtmlTable> tables;
  bool square = false;  ///< both axes equally long: ROC, calibration
};

/// The palette; wraps around.
std::string colour(std::size_t number);

nlohmann::ordered_json line(const std::string& name, const std::vector<double>& x,
                            const std::vector<double>& y, const std::string& colour);
/// A thin dashed line without a name in the legend unless given.
nlohmann::ordered_json reference(const std::string& name, const std::vector<double>& x,
                                 const std::vector<double>& y);
/// The area between two curves over the same x.
nlohmann::ordered_json band(const std::string& name, const std::vector<double>& x,
                            const std::vector<double>& low, const std::vector<double>& high,
                            const std::string& rgba);

/// A `<figure>`. `drawn`: plotly.js is on the page; without it the table is shown open.
std::string chart_html(const Chart& chart, bool drawn);

/// Figures beside each other where there is room.
std::string charts_html(const std::vector<Chart>& charts, bool drawn);

}  // namespace bcx::report
