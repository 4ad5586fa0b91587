#include "runs_columns.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "tracker/host.h"
#include "tracker_text.h"

namespace bcx::cli {
namespace {

using tracker::Key;
using tracker::RunShown;

ShownColumn plain(std::string title, int yield, std::function<std::string(const RunShown&)> text) {
  return {{std::move(title), Align::left, yield}, std::move(text), {}};
}

/// `11-23 06:41` this year, `2025-11-23` before: a screen is narrow. In full for other readers.
std::string when(std::int64_t time, bool screen) {
  const auto text = local_time(time);
  if (!screen) return text;
  const bool this_year = text.substr(0, 4) == local_time(tracker::now_microseconds()).substr(0, 4);
  return this_year ? text.substr(5, 11) : text.substr(0, 10);
}

/// Columns that every run has. The identifier and the status are never clipped.
std::vector<ShownColumn> plain_columns(bool screen) {
  return {
      plain("id", 0, [](const RunShown& run) { return run.short_id; }),
      plain("name", 2, [](const RunShown& run) { return run.name; }),
      plain("status", 0, [](const RunShown& run) { return run.status; }),
      plain("stamps", 0, stamps_text),
      plain("started", 1, [=](const RunShown& run) { return when(run.started, screen); }),
      plain("duration", 1, duration_text),
      plain("ended", 1,
            [=](const RunShown& run) { return run.ended ? when(*run.ended, screen) : ""; }),
      plain("experiment", 2, [](const RunShown& run) { return run.experiment; }),
      plain("seed", 1, [](const RunShown& run) { return fmt::format("{}", run.seed); }),
      plain("tags", 3, [](const RunShown& run) { return join(run.tags, ","); }),
      plain("notes", 3, [](const RunShown& run) { return run.notes; }),
      plain("reason", 3, [](const RunShown& run) { return run.exit_reason; }),
      plain("host", 2, [](const RunShown& run) { return run.host; }),
      plain("pid", 1, [](const RunShown& run) { return fmt::format("{}", run.pid); }),
      plain("git", 2, [](const RunShown& run) { return run.git_commit; }),
      plain("version", 2, [](const RunShown& run) { return run.version; }),
      plain("attempts", 1, [](const RunShown& run) { return fmt::format("{}", run.attempts); }),
      plain("parent", 2, [](const RunShown& run) { return run.parent; }),
      plain("command", 3, [](const RunShown& run) { return run.command; }),
      plain("folder", 2, [](const RunShown& run) { return run.folder; }),
  };
}

ShownColumn param_column(const Key& key) {
  return {{key.name, Align::right, 2},
          [name = key.name](const RunShown& run) {
            const auto found = run.params.find(name);
            return found == run.params.end() ? std::string() : value_text(found->second);
          },
          key};
}

ShownColumn metric_column(const Key& key) {
  return {{title_of(key), Align::right, 1},
          [key](const RunShown& run) {
            const auto value = metric_of(run, key);
            return value ? number_text(*value) : std::string();
          },
          key};
}

}  // namespace

std::optional<double> metric_of(const RunShown& run, const Key& key) {
  const auto found = run.metrics.find(key.name);
  if (found == run.metrics.end()) return std::nullopt;
  const auto& one = found->second;
  if (key.function == "best") return best_of(key.name, one).value_or(std::nan(""));
  if (key.function == "min") return one.min.value_or(std::nan(""));
  if (key.function == "max") return one.max.value_or(std::nan(""));
  return one.last;
}

std::string title_of(const Key& key) {
  return key.function.empty() ? key.name : fmt::format("{}({})", key.function, key.name);
}

ShownColumn column_of(const tracker::Reader& reader, const std::string& word, bool screen) {
  const auto key = reader.key(word);
  if (key.kind == Key::Kind::param) return param_column(key);
  if (key.kind == Key::Kind::metric) return metric_column(key);
  auto columns = plain_columns(screen);
  return *std::find_if(columns.begin(), columns.end(),
                       [&](const auto& one) { return one.column.title == key.name; });
}

const std::vector<std::string>& usual_figures() {
  static const std::vector<std::string> figures{"val.auc",       "val.accuracy", "test.auc",
                                                "test.accuracy", "val.loss",     "train.loss"};
  return figures;
}

std::vector<std::string> figures_of(const std::vector<RunShown>& runs) {
  std::vector<std::string> had;
  for (const auto& key : usual_figures())
    if (had.size() < 3 && std::any_of(runs.begin(), runs.end(), [&](const RunShown& run) {
          return run.metrics.contains(key);
        }))
      had.push_back(key);
  return had;
}

std::vector<ShownColumn> default_columns(const std::vector<RunShown>& runs, bool screen) {
  std::vector<ShownColumn> columns;
  const bool stamped = std::any_of(runs.begin(), runs.end(),
                                   [](const RunShown& run) { return !run.stamps.empty(); });
  for (const auto& column : plain_columns(screen)) {
    if (column.column.title == "ended") break;
    if (column.column.title != "stamps" || stamped) columns.push_back(column);
  }
  for (const auto& name : figures_of(runs))
    columns.push_back(metric_column({Key::Kind::metric, name, ""}));
  return columns;
}

}  // namespace bcx::cli
