#include "folds.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/error.h"
#include "base/table.h"
#include "base/text.h"
#include "console.h"
#include "main_metrics.h"
#include "resume_point.h"
#include "tracker_text.h"

namespace bcx::cli {
namespace {

using report::fold_of;
using tracker::Reader;
using tracker::RunShown;

std::string cell(const RunShown& run, const std::string& key, std::string_view sign = "") {
  const auto found = run.metrics.find(key);
  return found == run.metrics.end() ? "" : fmt::format("{}{:.4f}", sign, found->second.last);
}

/// The mean, and of how many folds when not of all.
std::string mean_cell(const RunShown& parent, const std::string& name, std::size_t folds) {
  const auto series = parent.metrics.find("fold." + name);
  auto text = cell(parent, "test." + name);
  if (series != parent.metrics.end() && series->second.count < static_cast<std::int64_t>(folds))
    text += fmt::format(" (of {})", series->second.count);
  return text;
}

/// A row of one figure: what each fold says, then all together.
std::vector<std::string> figure_row(const Reader& reader, const RunShown& parent,
                                    const std::vector<RunShown>& runs, const std::string& name) {
  std::map<std::int64_t, double> values;
  if (parent.metrics.contains("fold." + name))
    for (const auto& point : reader.series(parent.id, "fold." + name))
      values[point.step] = point.value;
  std::vector<std::string> row{name};
  for (const auto& run : runs) {
    const auto found = values.find(fold_of(run));
    row.push_back(found == values.end() ? "" : fmt::format("{:.4f}", found->second));
  }
  row.push_back(mean_cell(parent, name, runs.size()));
  row.push_back(cell(parent, "test." + name + ".sd", "± "));
  row.push_back(cell(parent, "test.pooled." + name));
  return row;
}

}  // namespace

bool is_ensemble(const RunShown& run) {
  return run.params.contains(ensemble_key);
}

FoldsPoint folds_point(const Reader& reader, const RunShown& parent, bool force) {
  if (parent.status == "running")
    throw Error(ExitCode::usage, {"is running", "run " + parent.name, "stop it first"});
  FoldsPoint point{parent.id, parent.attempts, {}};
  for (const auto& run : fold_runs(reader, parent)) {
    auto& state = point.folds[fold_of(run)];
    if (run.status == "finished") {
      state.finished = run.id;
      continue;
    }
    if (!kept_checkpoints(reader, run.id).empty()) state.resume = resume_point(reader, run, force);
  }
  return point;
}

void print_folds(const Reader& reader, const std::string& parent_id) {
  const auto parent = reader.run(parent_id);
  const auto runs = fold_runs(reader, parent);
  std::vector<Column> columns{{"fold", Align::left, 0}};
  for (const auto& run : runs)
    columns.push_back({fmt::format("{}", fold_of(run)), Align::right, 2});
  for (const auto* title : {"mean", "spread", "pooled"})
    columns.push_back({title, Align::right, 0});
  Table table(columns);
  std::vector<std::string> ids{"run"};
  for (const auto& run : runs)
    ids.push_back(run.status == "finished" ? run.short_id : run.short_id + " " + run.status);
  ids.resize(columns.size());
  table.add(ids);
  for (const auto& name : main_metrics)
    if (parent.metrics.contains("test." + std::string(name)))
      table.add(figure_row(reader, parent, runs, std::string(name)));
  fmt::print("{}", table.text(terminal_width()));
  fmt::print(
      "spread: standard deviation over the folds. pooled: all folds' decisions together; auc of "
      "ranks\nwithin the folds, since scores of different models have no common scale\n");
}

}  // namespace bcx::cli
