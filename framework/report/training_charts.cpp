#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "report/charts.h"

namespace bcx::report {
namespace {

constexpr std::int64_t most_points = 400;

struct Series {
  std::vector<double> epoch, value;
};

Series series_of(const tracker::Reader& reader, const Study& study, const std::string& key) {
  Series series;
  if (!study.run.metrics.contains(key)) return series;
  for (const auto& bucket : reader.overview(study.run.id, key, most_points)) {
    if (!bucket.finite) continue;
    series.epoch.push_back(bucket.last_epoch);
    series.value.push_back(bucket.finite->mean);
  }
  return series;
}

/// The epoch whose weights were kept as the best; none without such a checkpoint.
std::optional<double> best_epoch(const tracker::Reader& reader, const Study& study) {
  std::optional<double> epoch;
  for (const auto& one : reader.checkpoints(study.run.id))
    if (one.kept && one.row.tag == "best") epoch = static_cast<double>(one.row.cursor.epoch);
  return epoch;
}

HtmlTable table_of(const std::vector<std::pair<std::string, Series>>& all) {
  std::map<double, std::vector<std::string>> rows;
  std::vector<std::string> titles{"#epoch"};
  for (std::size_t i = 0; i < all.size(); ++i) {
    titles.push_back("#" + all[i].first);
    for (std::size_t k = 0; k < all[i].second.epoch.size(); ++k) {
      auto& row = rows[all[i].second.epoch[k]];
      row.resize(all.size());
      row[i] = number_text(all[i].second.value[k]);
    }
  }
  HtmlTable table(titles);
  for (auto& [epoch, row] : rows) {
    row.insert(row.begin(), number_text(epoch));
    table.add(std::move(row));
  }
  return table;
}

Chart course(const tracker::Reader& reader, const Study& study, const std::string& id,
             const std::string& title, Axis y, const std::vector<std::string>& keys,
             const std::optional<double>& best) {
  Chart chart{id, title, {}, {"epoch"}, std::move(y), {}, {}, false};
  chart.traces = nlohmann::ordered_json::array();
  std::vector<std::pair<std::string, Series>> all;
  double low = INFINITY, high = -INFINITY;
  for (const auto& key : keys) {
    auto series = series_of(reader, study, key);
    if (series.value.empty()) continue;
    auto trace = line(key, series.epoch, series.value, colour(all.size()));
    if (series.value.size() < 50) trace["mode"] = "lines+markers";
    chart.traces.push_back(std::move(trace));
    for (const double value : series.value) {
      low = std::min(low, value);
      high = std::max(high, value);
    }
    all.emplace_back(key, std::move(series));
  }
  if (all.empty()) return chart;
  // A rate that stays as it is would otherwise lie in the middle of nothing.
  if (low == high && low > 0.0) chart.y.range = {0.0, 1.2 * high};
  if (best) {
    chart.traces.push_back(reference("", {*best, *best}, {low, high}));
    chart.note = fmt::format("Dashed: epoch {}, whose weights were evaluated.", number_text(*best));
  }
  chart.tables.push_back(table_of(all));
  return chart;
}

}  // namespace

std::vector<Chart> training_charts(const tracker::Reader& reader, const Study& study,
                                   const std::string& prefix) {
  const auto best = best_epoch(reader, study);
  std::vector<Chart> charts;
  for (auto& chart :
       {course(reader, study, prefix + "loss", "Loss", {"loss"}, {"train.loss", "val.loss"}, best),
        course(reader, study, prefix + "figures", "Accuracy and AUC", {"share"},
               {"train.accuracy", "val.accuracy", "val.balanced_accuracy", "val.auc"}, best),
        course(reader, study, prefix + "rate", "Learning rate", {"learning rate"},
               {"learning_rate"}, std::nullopt)})
    if (!chart.traces.empty()) charts.push_back(chart);
  return charts;
}

}  // namespace bcx::report
