#include "report/sweep_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report/page.h"
#include "report/sweep_charts.h"

namespace bcx::report {
namespace {

std::string header(const SweepFigures& sweep) {
  return fmt::format(
      "<header>\n<p class=\"kind\">bcx sweep · {} · for research, no medical device</p>\n"
      "<h1>{}</h1>\n<p>Sweep {}: {}</p>\n</header>\n",
      today(), escaped(sweep.name), escaped(sweep.id), escaped(sweep.about));
}

std::string searched(const SweepFigures& sweep) {
  HtmlTable table({"parameter", "values"});
  for (const auto& one : sweep.parameters) table.add({one.key, one.values});
  return table.html() +
         paragraph(
             "The best of many trials looks better than it is: its value was chosen for being "
             "high on these validation images. Run it on fresh seeds (bcx sweep run --confirm) "
             "and report those figures.");
}

std::string trials(const SweepFigures& sweep) {
  std::vector<std::string> titles{"#trial"};
  for (const auto& one : sweep.parameters) titles.push_back(one.key);
  for (const auto* title : {"state", "#epochs", "#seconds", "run", ""}) titles.emplace_back(title);
  titles.insert(titles.begin() + 1, "#" + sweep.objective);
  HtmlTable table(titles);
  std::vector<const SweepFigures::Trial*> order;
  for (const auto& one : sweep.trials) order.push_back(&one);
  std::stable_sort(order.begin(), order.end(), [&](const auto* a, const auto* b) {
    if (std::isnan(a->value) || std::isnan(b->value))
      return !std::isnan(a->value) && std::isnan(b->value);
    return sweep.maximize ? a->value > b->value : a->value < b->value;
  });
  for (const auto* one : order) {
    std::vector<std::string> row{std::to_string(one->number),
                                 std::isnan(one->value) ? "" : number_text(one->value)};
    for (const auto& setting : one->parameters) row.push_back(setting.text);
    row.insert(row.end(),
               {one->state, std::to_string(one->epochs),
                std::isnan(one->seconds) ? "" : number_text(one->seconds), one->run, one->message});
    table.add(std::move(row));
  }
  return table.html();
}

}  // namespace

std::vector<std::size_t> pareto_front(const SweepFigures& sweep) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < sweep.trials.size(); ++i)
    if (std::isfinite(sweep.trials[i].value) && std::isfinite(sweep.trials[i].seconds))
      order.push_back(i);
  const auto cost = [&](std::size_t i) {
    return sweep.maximize ? -sweep.trials[i].value : sweep.trials[i].value;
  };
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) {
    const double x = sweep.trials[a].seconds, y = sweep.trials[b].seconds;
    return x != y ? x < y : cost(a) < cost(b);
  });
  std::vector<std::size_t> front;
  for (const auto i : order)
    if (front.empty() || cost(i) < cost(front.back())) front.push_back(i);
  return front;
}

std::string sweep_report(const SweepFigures& sweep, const std::optional<std::string>& plotly) {
  const bool drawn = plotly.has_value();
  const auto charts = [&](std::vector<Chart> list) {
    std::erase_if(list, [](const Chart& chart) { return chart.traces.empty(); });
    return list.empty() ? paragraph("No trial has a value yet.") : charts_html(list, drawn);
  };
  std::vector<Section> sections{
      {"searched", "What was searched", searched(sweep)},
      {"course", "What came of it", charts({sweep_history(sweep), value_against_time(sweep)})},
      {"parameters", "Parameters", charts({parallel_coordinates(sweep)})}};
  std::vector<Chart> maps;
  for (std::size_t i = 0; i < sweep.heat_maps.size(); ++i) maps.push_back(sweep_heat_map(sweep, i));
  if (!maps.empty()) sections.back().body += charts(std::move(maps));
  sections.push_back({"importance", "Which parameters mattered",
                      sweep.importances.empty() ? paragraph(sweep.importance_note)
                                                : charts({sweep_importances(sweep)})});
  sections.push_back({"trials", "Every trial, the best first", trials(sweep)});
  return page_html(sweep.name, header(sweep), sections, plotly);
}

}  // namespace bcx::report
