#include "runs_groups.h"

#include <fmt/format.h>

#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "tracker_text.h"

namespace bcx::cli {
namespace {

using tracker::RunShown;

Spread spread_of(const std::vector<double>& values) {
  Spread out;
  out.count = std::ssize(values);
  double sum = 0, squares = 0;
  for (const double value : values) sum += value;
  out.mean = sum / static_cast<double>(out.count);
  for (const double value : values) squares += (value - out.mean) * (value - out.mean);
  out.deviation = std::sqrt(squares / static_cast<double>(out.count - 1));
  return out;
}

std::string cell(const Spread& spread, std::int64_t runs) {
  if (spread.count == 0) return "";
  auto text = number_text(spread.mean);
  if (spread.count > 1) text += fmt::format(" ± {:.2g}", spread.deviation);
  return spread.count == runs ? text : text + fmt::format(" (n {})", spread.count);
}

nlohmann::ordered_json finite(double value) {
  return std::isfinite(value) ? nlohmann::ordered_json(value) : nlohmann::ordered_json(nullptr);
}

}  // namespace

std::vector<RunGroup> group_runs(const std::vector<RunShown>& runs, const ShownColumn& key,
                                 const std::vector<ShownColumn>& metrics) {
  std::vector<RunGroup> groups;
  std::vector<std::vector<std::vector<double>>> values;
  std::map<std::string, std::size_t> places;
  for (const auto& run : runs) {
    const auto value = key.text(run);
    const auto [place, fresh] = places.emplace(value, groups.size());
    if (fresh) {
      groups.push_back({value, run, 0, {}});
      values.emplace_back(metrics.size());
    }
    ++groups[place->second].runs;
    for (std::size_t i = 0; i < metrics.size(); ++i)
      if (const auto one = metric_of(run, *metrics[i].key); one && !std::isnan(*one))
        values[place->second][i].push_back(*one);
  }
  for (std::size_t g = 0; g < groups.size(); ++g)
    for (const auto& column : values[g])
      groups[g].metrics.push_back(column.empty() ? Spread{} : spread_of(column));
  return groups;
}

Table group_table(const std::vector<RunGroup>& groups, const ShownColumn& key,
                  const std::vector<ShownColumn>& metrics, bool for_programs) {
  std::vector<Column> titles{{key.column.title, key.column.align, 1}, {"runs", Align::right, 0}};
  for (const auto& metric : metrics) {
    const auto& title = metric.column.title;
    titles.push_back({title, Align::right, 0});
    if (!for_programs) continue;
    titles.push_back({title + ".sd", Align::right, 0});
    titles.push_back({title + ".n", Align::right, 0});
  }
  Table table(titles);
  for (const auto& group : groups) {
    std::vector<std::string> row{group.value, fmt::format("{}", group.runs)};
    for (const auto& spread : group.metrics) {
      if (!for_programs) {
        row.push_back(cell(spread, group.runs));
        continue;
      }
      row.push_back(spread.count > 0 ? shortest(spread.mean) : "");
      row.push_back(spread.count > 1 ? shortest(spread.deviation) : "");
      row.push_back(fmt::format("{}", spread.count));
    }
    table.add(std::move(row));
  }
  return table;
}

nlohmann::ordered_json group_json(const std::vector<RunGroup>& groups, const ShownColumn& key,
                                  const std::vector<ShownColumn>& metrics) {
  auto json = nlohmann::ordered_json::array();
  for (const auto& group : groups) {
    nlohmann::ordered_json one;
    // A parameter keeps its type.
    const auto params = run_json(group.first)["params"];
    one[key.column.title] = key.key && params.contains(key.key->name)
                                ? params[key.key->name]
                                : nlohmann::ordered_json(group.value);
    if (key.key && group.value.empty()) one[key.column.title] = nullptr;
    one["runs"] = group.runs;
    one["metrics"] = nlohmann::ordered_json::object();
    for (std::size_t i = 0; i < metrics.size(); ++i) {
      const auto& spread = group.metrics[i];
      one["metrics"][metrics[i].column.title] = {
          {"mean", spread.count > 0 ? finite(spread.mean) : nullptr},
          {"sd", spread.count > 1 ? finite(spread.deviation) : nullptr},
          {"n", spread.count}};
    }
    json.push_back(std::move(one));
  }
  return json;
}

}  // namespace bcx::cli
