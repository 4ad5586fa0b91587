#include "report/chart.h"

#include <fmt/format.h>

#include <array>

namespace bcx::report {
namespace {

using nlohmann::ordered_json;

ordered_json axis_json(const Axis& axis) {
  ordered_json json{{"title", {{"text", axis.title}}}};
  if (!axis.range.empty()) json["range"] = axis.range;
  if (axis.logarithmic) json["type"] = "log";
  if (axis.hidden) json["visible"] = false;
  if (!axis.ticks.empty()) {
    // plotly reads tags in labels.
    for (std::size_t i = 0; i < axis.ticks.size(); ++i) {
      json["ticktext"].push_back(escaped(axis.ticks[i]));
      json["tickvals"].push_back(i);
    }
  }
  return json;
}

}  // namespace

std::string colour(std::size_t number) {
  // Told apart by people who do not see red and green as different (Okabe and Ito 2008).
  static constexpr std::array palette{"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                      "#56b4e9", "#e69f00", "#555555"};
  return palette[number % palette.size()];
}

ordered_json line(const std::string& name, const std::vector<double>& x,
                  const std::vector<double>& y, const std::string& colour) {
  return {{"type", "scatter"},
          {"mode", x.size() > 1 ? "lines" : "markers"},
          {"name", name},
          {"x", x},
          {"y", y},
          {"line", {{"color", colour}, {"width", 2}}},
          {"marker", {{"color", colour}}}};
}

ordered_json reference(const std::string& name, const std::vector<double>& x,
                       const std::vector<double>& y) {
  return {{"type", "scatter"},
          {"mode", "lines"},
          {"name", name},
          {"x", x},
          {"y", y},
          {"showlegend", !name.empty()},
          {"hoverinfo", "skip"},
          {"line", {{"color", "#8a8a8a"}, {"width", 1}, {"dash", "dash"}}}};
}

ordered_json band(const std::string& name, const std::vector<double>& x,
                  const std::vector<double>& low, const std::vector<double>& high,
                  const std::string& rgba) {
  std::vector<double> there_and_back(x), edge(high);
  there_and_back.insert(there_and_back.end(), x.rbegin(), x.rend());
  edge.insert(edge.end(), low.rbegin(), low.rend());
  return {{"type", "scatter"},  {"mode", "lines"},  {"name", name},      {"x", there_and_back},
          {"y", edge},          {"fill", "toself"}, {"fillcolor", rgba}, {"line", {{"width", 0}}},
          {"hoverinfo", "skip"}};
}

std::string chart_html(const Chart& chart, bool drawn) {
  std::string tables;
  for (const auto& table : chart.tables) tables += table.html();
  std::string out = fmt::format("<figure class=\"chart\" id=\"{}\">\n<h3>{}</h3>\n", chart.id,
                                escaped(chart.title));
  if (drawn)
    out += fmt::format(
        "<div class=\"plot{}\" role=\"img\" aria-label=\"{}\"></div>\n<script "
        "type=\"application/json\" class=\"plot-data\">{}</script>\n",
        chart.square ? " square" : "", escaped(chart.title + ". The numbers stand in the table."),
        script_json({{"data", chart.traces},
                     {"layout", {{"xaxis", axis_json(chart.x)}, {"yaxis", axis_json(chart.y)}}}}));
  if (!chart.note.empty()) out += fmt::format("<figcaption>{}</figcaption>\n", escaped(chart.note));
  if (!tables.empty())
    out += fmt::format("<details{}><summary>As a table</summary>\n{}</details>\n",
                       drawn ? "" : " open", tables);
  return out + "</figure>\n";
}

std::string charts_html(const std::vector<Chart>& charts, bool drawn) {
  std::string out;
  for (const auto& chart : charts) out += chart_html(chart, drawn);
  return out.empty() ? out : "<div class=\"charts\">\n" + out + "</div>\n";
}

}  // namespace bcx::report
