#include "report/sweep_charts.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace bcx::report {
namespace {

using nlohmann::ordered_json;

// From what is worst to what is best: pale to dark, for those who see no colours, too.
constexpr std::array shades{"#d8dee4", "#b3c7d9", "#82abcd", "#4489ba", "#0065a5", "#00365c"};
constexpr const char* strong = "#d55e00";

bool better(const SweepFigures& sweep, double a, double b) {
  return sweep.maximize ? a > b : a < b;
}

ordered_json markers(const std::string& name, const std::vector<double>& x,
                     const std::vector<double>& y, const std::vector<std::string>& texts,
                     const std::string& colour) {
  auto trace = line(name, x, y, colour);
  trace["mode"] = "markers";
  trace["text"] = texts;
  trace["hovertemplate"] = "%{text}<br>%{x}: %{y}<extra></extra>";
  return trace;
}

std::string trial_text(const SweepFigures& sweep, const SweepFigures::Trial& trial) {
  // plotly reads tags in labels: the text is made safe for it as for the page.
  std::string text = fmt::format("trial {}", trial.number);
  for (std::size_t i = 0; i < trial.parameters.size(); ++i)
    if (!trial.parameters[i].text.empty())
      text += "<br>" + escaped(sweep.parameters[i].key) + " = " + escaped(trial.parameters[i].text);
  return text;
}

struct Span {
  double low = INFINITY, high = -INFINITY;
  bool empty() const { return !(low <= high); }
};

Span span_of(const SweepFigures& sweep) {
  Span span;
  for (const auto& trial : sweep.trials)
    if (std::isfinite(trial.value)) {
      span.low = std::min(span.low, trial.value);
      span.high = std::max(span.high, trial.value);
    }
  return span;
}

/// Which shade a value has.
std::size_t shade_of(const SweepFigures& sweep, const Span& span, double value) {
  if (!(span.high > span.low)) return shades.size() - 1;
  double share = (value - span.low) / (span.high - span.low);
  if (!sweep.maximize) share = 1 - share;
  return std::min(shades.size() - 1,
                  static_cast<std::size_t>(share * static_cast<double>(shades.size())));
}

/// The values that a shade stands for, `0.912 to 0.934`.
std::string shade_name(const SweepFigures& sweep, const Span& span, std::size_t shade) {
  const auto edge = [&](std::size_t i) {
    const double share = static_cast<double>(i) / static_cast<double>(shades.size());
    return span.low + (span.high - span.low) * (sweep.maximize ? share : 1 - share);
  };
  return number_text(edge(shade)) + " to " + number_text(edge(shade + 1));
}

/// Lines of one shade, with gaps between trials and where a parameter is not used.
struct Lines {
  ordered_json x = ordered_json::array(), y = ordered_json::array(), text = ordered_json::array();

  void add(const SweepFigures::Trial& trial, const std::string& words, double end) {
    for (std::size_t i = 0; i < trial.parameters.size(); ++i)
      point(static_cast<double>(i), trial.parameters[i].place, words);
    point(static_cast<double>(trial.parameters.size()), end, words);
    point(0, NAN, words);
  }
  void point(double at, double height, const std::string& words) {
    x.push_back(at);
    y.push_back(std::isfinite(height) ? ordered_json(height) : ordered_json());
    text.push_back(words);
  }
};

ordered_json tick_labels(std::size_t axis, const std::vector<std::string>& ticks) {
  ordered_json trace{{"type", "scatter"},          {"mode", "markers+text"},
                     {"showlegend", false},        {"hoverinfo", "skip"},

                     {"textfont", {{"size", 11}}}, {"marker", {{"color", "#1d2733"}, {"size", 4}}}};
  for (std::size_t i = 0; i < ticks.size(); ++i) {
    trace["x"].push_back(axis);
    trace["y"].push_back(
        ticks.size() > 1 ? static_cast<double>(i) / static_cast<double>(ticks.size() - 1) : 0.5);
    trace["text"].push_back(escaped(ticks[i]));
    // Beyond the ends, where no line is.
    trace["textposition"].push_back(i == 0                  ? "bottom center"
                                    : i + 1 == ticks.size() ? "top center"
                                                            : "middle left");
  }
  return trace;
}

std::vector<std::string> parameter_titles(const SweepFigures& sweep) {
  std::vector<std::string> titles;
  for (const auto& one : sweep.parameters) titles.push_back(one.key);
  return titles;
}

}  // namespace

Chart sweep_history(const SweepFigures& sweep) {
  Chart chart{"history",
              "History",
              "Trials in the order in which they ended.",
              {"trials"},
              {sweep.objective},
              {},
              {},
              false};
  std::vector<double> place, value, best;
  std::vector<std::string> texts;
  HtmlTable table({"#trial", "#" + sweep.objective, "#best so far"});
  for (const auto& trial : sweep.trials) {
    if (!std::isfinite(trial.value)) continue;
    best.push_back(best.empty() || better(sweep, trial.value, best.back()) ? trial.value
                                                                           : best.back());
    place.push_back(static_cast<double>(best.size()));
    value.push_back(trial.value);
    texts.push_back(trial_text(sweep, trial));
    table.add({std::to_string(trial.number), number_text(value.back()), number_text(best.back())});
  }
  if (place.empty()) return chart;
  auto course = line("best so far", place, best, colour(0));
  course["line"]["shape"] = "hv";
  chart.traces.push_back(std::move(course));
  chart.traces.push_back(markers("each trial", place, value, texts, colour(1)));
  chart.tables.push_back(table);
  return chart;
}

Chart parallel_coordinates(const SweepFigures& sweep) {
  auto ticks = parameter_titles(sweep);
  ticks.push_back(sweep.objective);
  Chart chart{
      "parallel",
      "Parallel coordinates",
      "A line for each trial; the darker, the better. Where a parameter is not used the line "
      "has a gap.",
      {"", {-0.5, static_cast<double>(ticks.size()) - 0.5}, false, ticks},
      {"", {-0.12, 1.12}, false, {}, true},
      {},
      {},
      false};
  const auto span = span_of(sweep);
  if (span.empty()) return chart;
  std::array<Lines, shades.size()> lines;
  std::vector<std::string> titles{"#trial"};
  for (const auto& key : parameter_titles(sweep)) titles.push_back(key);
  titles.push_back("#" + sweep.objective);
  HtmlTable table(titles);
  for (const auto& trial : sweep.trials) {
    if (!std::isfinite(trial.value)) continue;
    const double end =
        span.high > span.low ? (trial.value - span.low) / (span.high - span.low) : 0.5;
    lines[shade_of(sweep, span, trial.value)].add(trial,
                                                  trial_text(sweep, trial) + "<br>" +
                                                      escaped(sweep.objective) + " = " +
                                                      number_text(trial.value),
                                                  end);
    std::vector<std::string> row{std::to_string(trial.number)};
    for (const auto& one : trial.parameters) row.push_back(one.text);
    row.push_back(number_text(trial.value));
    table.add(std::move(row));
  }
  for (std::size_t i = 0; i < shades.size(); ++i) {
    if (lines[i].x.empty()) continue;
    chart.traces.push_back({{"type", "scatter"},
                            {"mode", "lines"},
                            {"name", shade_name(sweep, span, i)},
                            {"x", lines[i].x},
                            {"y", lines[i].y},
                            {"text", lines[i].text},
                            {"hovertemplate", "%{text}<extra></extra>"},
                            {"line", {{"color", shades[i]}, {"width", 1.5}}}});
  }
  for (std::size_t i = 0; i < sweep.parameters.size(); ++i)
    chart.traces.push_back(tick_labels(i, sweep.parameters[i].ticks));
  chart.traces.push_back(tick_labels(
      sweep.parameters.size(), span.high > span.low
                                   ? std::vector{number_text(span.low), number_text(span.high)}
                                   : std::vector{number_text(span.low)}));
  chart.tables.push_back(table);
  return chart;
}

Chart sweep_heat_map(const SweepFigures& sweep, std::size_t number) {
  const auto& map = sweep.heat_maps[number];
  Chart chart{fmt::format("heat-map-{}", number + 1),
              sweep.objective + " over " + map.down + " and " + map.across,
              sweep.parameters.size() > 2
                  ? "The mean over seeds, the best over all other parameters."
                  : "The mean over seeds.",
              {map.across, {}, false, map.columns},
              {map.down, {}, false, map.rows},
              {},
              {},
              false};
  std::vector<std::string> titles{map.down + " \\ " + map.across};
  for (const auto& one : map.columns) titles.push_back("#" + one);
  HtmlTable table(titles);
  ordered_json z = ordered_json::array(), texts = ordered_json::array();
  for (std::size_t r = 0; r < map.rows.size(); ++r) {
    std::vector<std::string> row{map.rows[r]};
    ordered_json values = ordered_json::array(), words = ordered_json::array();
    for (const double value : map.values[r]) {
      const bool there = std::isfinite(value);
      values.push_back(there ? ordered_json(value) : ordered_json());
      words.push_back(there ? number_text(value) : "");
      row.push_back(there ? number_text(value) : "");
    }
    z.push_back(values);
    texts.push_back(words);
    table.add(std::move(row));
  }
  if (map.rows.empty()) return chart;
  chart.traces.push_back({{"type", "heatmap"},
                          {"z", z},
                          {"text", texts},
                          {"texttemplate", "%{text}"},
                          {"hovertemplate", "%{z}<extra></extra>"},
                          {"colorscale", "Cividis"},
                          {"reversescale", !sweep.maximize},
                          {"xgap", 2},
                          {"ygap", 2},
                          {"colorbar", {{"thickness", 12}}}});
  chart.tables.push_back(table);
  return chart;
}

Chart sweep_importances(const SweepFigures& sweep) {
  Chart chart{"importances",
              "Importance of each parameter",
              sweep.importance_note,
              {"share of the variance", {0, 1}},
              {""},
              {},
              {},
              false};
  if (sweep.importances.empty()) return chart;
  HtmlTable table({"parameter", "#alone", "#with others", "#spread over trees"});
  ordered_json keys = ordered_json::array(), alone = ordered_json::array(),
               more = ordered_json::array();
  std::vector<std::string> ticks;
  for (auto one = sweep.importances.rbegin(); one != sweep.importances.rend(); ++one) {
    keys.push_back(ticks.size());
    ticks.push_back(one->key);
    alone.push_back(one->main);
    more.push_back(one->total);
  }
  for (const auto& one : sweep.importances)
    table.add({one.key, share_text(one.main), share_text(one.total), share_text(one.spread)});
  chart.y.ticks = ticks;
  const auto bars = [&](const char* name, const ordered_json& sizes, const std::string& shade) {
    chart.traces.push_back({{"type", "bar"},
                            {"orientation", "h"},
                            {"name", name},
                            {"y", keys},
                            {"x", sizes},
                            {"marker", {{"color", shade}}}});
  };
  bars("alone", alone, colour(0));
  bars("with others", more, colour(4));
  chart.tables.push_back(table);
  return chart;
}

Chart value_against_time(const SweepFigures& sweep) {
  Chart chart{
      "pareto",
      sweep.objective + " against time",
      "Time of all attempts of a trial, as it was on the machine that ran it. The line joins "
      "the trials that no other one beats in both.",
      {"seconds"},
      {sweep.objective},
      {},
      {},
      false};
  const auto front = pareto_front(sweep);
  if (front.empty()) return chart;
  std::vector<double> seconds, value;
  std::vector<std::string> texts;
  for (const auto& trial : sweep.trials) {
    if (!std::isfinite(trial.value) || !std::isfinite(trial.seconds)) continue;
    seconds.push_back(trial.seconds);
    value.push_back(trial.value);
    texts.push_back(trial_text(sweep, trial));
  }
  chart.traces.push_back(markers("trials", seconds, value, texts, colour(0)));
  std::vector<double> edge_seconds, edge;
  HtmlTable table({"#trial", "#seconds", "#" + sweep.objective}, "The front");
  for (const auto i : front) {
    const auto& trial = sweep.trials[i];
    edge_seconds.push_back(trial.seconds);
    edge.push_back(trial.value);
    table.add({std::to_string(trial.number), number_text(trial.seconds), number_text(trial.value)});
  }
  auto course = line("front", edge_seconds, edge, strong);
  course["mode"] = "lines+markers";
  course["line"]["shape"] = "hv";
  chart.traces.push_back(std::move(course));
  chart.tables.push_back(table);
  return chart;
}

}  // namespace bcx::report
