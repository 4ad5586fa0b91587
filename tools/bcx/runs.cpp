// `bcx runs`: the runs of a tracker as a table.

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/table.h"
#include "base/text.h"
#include "commands.h"
#include "tracker/host.h"
#include "tracker_text.h"

namespace bcx::cli {
namespace {

using tracker::Reader;
using tracker::RunShown;

constexpr std::int64_t rows_on_a_screen = 30;

struct Options {
  std::string database, sort;
  std::int64_t limit = -1;  // none given
  std::vector<std::string> columns;
  bool json = false, csv = false, markdown = false;
};

struct ShownColumn {
  Column column;
  std::function<std::string(const RunShown&)> text;
  std::string key;  // parameter or metric behind it
};

ShownColumn plain(std::string title, int yield, std::function<std::string(const RunShown&)> text) {
  return {{std::move(title), Align::left, yield}, std::move(text), ""};
}

/// `11-23 06:41` this year, `2025-11-23` before: a screen is narrow. In full for other readers.
std::string when(std::int64_t time, bool screen) {
  const auto text = local_time(time);
  if (!screen) return text;
  const bool this_year = text.substr(0, 4) == local_time(tracker::now_microseconds()).substr(0, 4);
  return this_year ? text.substr(5, 11) : text.substr(0, 10);
}

/// Columns that every run has. The identifier and the status are never clipped.
std::vector<ShownColumn> run_columns(bool screen) {
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
      plain("git", 2, [](const RunShown& run) { return run.git_commit; }),
      plain("attempts", 1, [](const RunShown& run) { return fmt::format("{}", run.attempts); }),
      plain("parent", 2, [](const RunShown& run) { return run.parent; }),
  };
}

ShownColumn param_column(const std::string& key) {
  return {{key, Align::right, 2},
          [key](const RunShown& run) {
            const auto found = run.params.find(key);
            return found == run.params.end() ? std::string() : value_text(found->second);
          },
          key};
}

/// `last`, `best`, `min` or `max` of a metric.
ShownColumn metric_column(const std::string& title, const std::string& key, const std::string& of) {
  return {{title, Align::right, 1},
          [key, of](const RunShown& run) -> std::string {
            const auto found = run.metrics.find(key);
            if (found == run.metrics.end()) return "";
            const auto& one = found->second;
            const auto value = of == "best"  ? best_of(key, one)
                               : of == "min" ? one.min
                               : of == "max" ? one.max
                                             : std::optional(one.last);
            return value ? number_text(*value) : "nan";
          },
          key};
}

ShownColumn column_of(const Reader& reader, const std::string& word, bool screen) {
  for (auto& column : run_columns(screen))
    if (column.column.title == word) return column;
  for (const std::string of : {"last", "best", "min", "max"}) {
    if (!word.starts_with(of + "(") || !word.ends_with(")")) continue;
    const auto key = reader.key(word.substr(of.size() + 1, word.size() - of.size() - 2));
    if (key.kind != tracker::Key::Kind::metric)
      throw Error(ExitCode::usage, fmt::format("{} is no metric: {} has no meaning for it",
                                               printable(key.name), of));
    return metric_column(fmt::format("{}({})", of, key.name), key.name, of);
  }
  const auto key = reader.key(word);
  return key.kind == tracker::Key::Kind::param ? param_column(key.name)
                                               : metric_column(key.name, key.name, "last");
}

/// The usual figures, most wanted first: those of validation, then the last word.
const std::vector<std::string> usual_figures{"val.auc",       "val.accuracy", "test.auc",
                                             "test.accuracy", "val.loss",     "train.loss"};

/// What a person wants to see of unknown runs: who, when, how far, and the first three of the usual
/// figures that any of them has.
std::vector<ShownColumn> default_columns(const std::vector<RunShown>& runs, bool screen) {
  std::vector<ShownColumn> columns;
  const bool stamped = std::any_of(runs.begin(), runs.end(),
                                   [](const RunShown& run) { return !run.stamps.empty(); });
  for (const auto& column : run_columns(screen)) {
    if (column.column.title == "ended") break;
    if (column.column.title != "stamps" || stamped) columns.push_back(column);
  }
  int figures = 0;
  for (const auto& key : usual_figures) {
    const bool had = std::any_of(runs.begin(), runs.end(),
                                 [&](const RunShown& run) { return run.metrics.contains(key); });
    if (had && ++figures <= 3) columns.push_back(metric_column(key, key, "last"));
  }
  return columns;
}

Table table_of(const std::vector<RunShown>& runs, const std::vector<ShownColumn>& columns) {
  std::vector<Column> titles;
  for (const auto& column : columns) titles.push_back(column.column);
  Table table(titles);
  for (const auto& run : runs) {
    std::vector<std::string> row;
    for (const auto& column : columns) row.push_back(column.text(run));
    table.add(std::move(row));
  }
  return table;
}

int nothing_yet(const Options& options, const std::filesystem::path& path) {
  if (options.json) fmt::print("[]\n");
  fmt::print(stderr,
             "no runs yet: {} is not there. `bcx run FILE` makes it; --tracker DB names another.\n",
             printable(path.string()));
  return 0;
}

void warn_of_test_metric(const Reader& reader, const std::string& sort) {
  if (sort.empty()) return;
  const auto key = reader.key(sort[0] == '-' ? sort.substr(1) : sort);
  if (key.kind == tracker::Key::Kind::metric && key.name.starts_with("test."))
    fmt::print(stderr,
               "note: sorted by {}: a run that is chosen by the test set needs another one to be "
               "judged by\n",
               printable(key.name));
}

int list(const Options& options) {
  const auto path = tracker_path(options.database);
  if (!std::filesystem::exists(path)) return nothing_yet(options, path);
  const Reader reader(path);
  const bool screen = !options.json && !options.csv && !options.markdown;

  std::vector<ShownColumn> columns;
  for (const auto& word : options.columns) columns.push_back(column_of(reader, word, screen));
  tracker::RunQuery query;
  query.sort = options.sort;
  query.limit = options.limit >= 0 ? options.limit : screen ? rows_on_a_screen : 0;
  query.all_keys = options.json;
  for (const auto& column : columns)
    if (!column.key.empty()) query.keys.push_back(column.key);
  if (columns.empty()) query.keys = usual_figures;
  warn_of_test_metric(reader, options.sort);
  const auto runs = reader.runs(query);

  if (options.json) {
    auto json = nlohmann::ordered_json::array();
    for (const auto& run : runs) json.push_back(run_json(run));
    fmt::print("{}\n", dump(json));
    return 0;
  }
  if (columns.empty()) columns = default_columns(runs, screen);
  const Table table = table_of(runs, columns);
  fmt::print("{}", options.csv        ? table.csv()
                   : options.markdown ? table.markdown()
                                      : table.text(terminal_width()));
  const auto left = reader.run_count() - static_cast<std::int64_t>(runs.size());
  if (screen && left > 0)
    fmt::print(stderr, "{} of {} runs; --limit 0 shows all\n", runs.size(),
               grouped(left + std::ssize(runs)));
  return 0;
}

}  // namespace

void add_runs(CLI::App& app, Action& action) {
  auto* command = app.add_subcommand("runs", "List the runs of the tracker");
  auto options = std::make_shared<Options>();
  command
      ->add_option("--sort", options->sort,
                   "Column, parameter or metric; metrics best first, -KEY reversed")
      ->type_name("KEY");
  command
      ->add_option("--limit", options->limit,
                   "At most N runs, 0 for all (default: 30 in a table, else all)")
      ->type_name("N")
      ->check(CLI::NonNegativeNumber);
  command
      ->add_option("--columns", options->columns,
                   "Columns, parameters, metrics, best(KEY), separated by commas")
      ->delimiter(',')
      ->type_name("A,B");
  auto* json = command->add_flag("--json", options->json, "Everything, as a JSON array");
  auto* csv = command->add_flag("--csv", options->csv, "As CSV")->excludes(json);
  command->add_flag("--md", options->markdown, "As a Markdown table")
      ->excludes(json)
      ->excludes(csv);
  add_tracker_option(*command, options->database);
  command->footer(
      "Example:\n  bcx runs --sort val.auc --limit 10 --columns "
      "id,name,learning_rate,best(val.auc)");
  command->callback([options, &action] { action = [options] { return list(*options); }; });
}

}  // namespace bcx::cli
