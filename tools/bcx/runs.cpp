// `bcx runs [FILTER]`: the runs of a tracker as a table.

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "commands.h"
#include "json_text.h"
#include "runs_columns.h"
#include "runs_groups.h"
#include "tracker/filter.h"
#include "tracker_text.h"

namespace bcx::cli {
namespace {

using tracker::Key;
using tracker::Reader;

constexpr std::int64_t rows_on_a_screen = 30;

struct Options {
  std::string database, sort, group_by;
  std::vector<std::string> filter;  // words: a shell may have taken a filter without quotes apart
  std::int64_t limit = -1;          // none given
  std::vector<std::string> columns;
  TableShape shape;

  std::int64_t most() const { return limit >= 0 ? limit : shape.screen() ? rows_on_a_screen : 0; }
};

int nothing_yet(const Options& options, const std::filesystem::path& path) {
  if (options.shape.json) fmt::print("[]\n");
  fmt::print(stderr,
             "no runs yet: {} is not there. `bcx run FILE` makes it; --tracker DB names another.\n",
             printable(path.string()));
  return 0;
}

std::string without_sign(const std::string& sort) {
  return sort.starts_with('-') ? sort.substr(1) : sort;
}

void warn_of_test_metric(const Reader& reader, const std::string& sort) {
  if (sort.empty()) return;
  const auto key = reader.key(without_sign(sort));
  if (key.kind == Key::Kind::metric && key.name.starts_with("test."))
    fmt::print(stderr,
               "note: sorted by {}: a run that is chosen by the test set needs another one to be "
               "judged by\n",
               printable(key.name));
}

void print_json(const nlohmann::ordered_json& json) {
  fmt::print("{}\n", dump(json));
}

void tell_of_more(const Options& options, std::int64_t shown, std::int64_t all, const char* what) {
  if (options.shape.screen() && shown < all)
    fmt::print(stderr, "{} of {} {}{}; --limit 0 shows all\n", grouped(shown), grouped(all), what,
               options.filter.empty() ? "" : " that match");
}

tracker::RunQuery query_of(const Options& options, const std::vector<ShownColumn>& columns) {
  tracker::RunQuery query;
  query.filter = join(options.filter, " ");
  query.all_keys = options.shape.json;
  for (const auto& column : columns)
    if (column.key) query.keys.push_back(column.key->name);
  return query;
}

int list(const Options& options, const Reader& reader) {
  std::vector<ShownColumn> columns;
  for (const auto& word : options.columns)
    columns.push_back(column_of(reader, word, options.shape.screen()));
  auto query = query_of(options, columns);
  query.sort = options.sort;
  query.limit = options.most();
  if (columns.empty()) query.keys = usual_figures();
  const auto [runs, matching] = reader.list(query);
  if (options.shape.json) {
    auto json = nlohmann::ordered_json::array();
    for (const auto& run : runs) json.push_back(run_json(run));
    print_json(json);
    return 0;
  }
  if (columns.empty()) columns = default_columns(runs, options.shape.screen());
  std::vector<Column> titles;
  for (const auto& column : columns) titles.push_back(column.column);
  Table table(titles);
  for (const auto& run : runs) {
    std::vector<std::string> row;
    for (const auto& column : columns) row.push_back(column.text(run));
    table.add(std::move(row));
  }
  print_table(options.shape, table);
  tell_of_more(options, std::ssize(runs), matching, "runs");
  return 0;
}

/// The place among `metrics` of what groups are to be sorted by; added behind the shown ones when
/// it is none of them.
std::size_t sort_place(const Reader& reader, const std::string& word,
                       std::vector<ShownColumn>& metrics) {
  auto column = column_of(reader, word, false);
  if (!column.key || column.key->kind != Key::Kind::metric)
    throw Error(ExitCode::usage, {fmt::format("groups cannot be sorted by \"{}\"", printable(word)),
                                  "--sort", "name a metric, or the key of --group-by"});
  for (std::size_t i = 0; i < metrics.size(); ++i)
    if (metrics[i].column.title == column.column.title) return i;
  metrics.push_back(std::move(column));
  return metrics.size() - 1;
}

/// By the mean, best first; groups without one last.
void sort_groups(std::vector<RunGroup>& groups, std::size_t by, bool ascending) {
  std::stable_sort(groups.begin(), groups.end(), [&](const RunGroup& a, const RunGroup& b) {
    const auto &left = a.metrics[by], &right = b.metrics[by];
    if (left.count == 0 || right.count == 0) return left.count > right.count && right.count == 0;
    return ascending ? left.mean < right.mean : left.mean > right.mean;
  });
}

int list_groups(const Options& options, const Reader& reader) {
  const auto key = column_of(reader, options.group_by, false);
  if (key.key && key.key->kind == Key::Kind::metric)
    throw Error(ExitCode::usage, {fmt::format("{} is a metric", printable(key.column.title)),
                                  "--group-by", "name a parameter or a column"});
  std::vector<ShownColumn> metrics;
  for (const auto& word : options.columns) {
    auto column = column_of(reader, word, false);
    if (column.key && column.key->kind == Key::Kind::metric) metrics.push_back(std::move(column));
  }
  const auto word = without_sign(options.sort);
  const bool by_key =
      word.empty() || column_of(reader, word, false).column.title == key.column.title;
  auto query = query_of(options, metrics);
  if (key.key) query.keys.push_back(key.key->name);
  query.keys.insert(query.keys.end(), usual_figures().begin(), usual_figures().end());
  query.sort = by_key && !word.empty() ? options.sort : options.group_by;
  if (!by_key) query.keys.push_back(reader.key(word).name);
  const auto runs = reader.runs(query);

  if (metrics.empty())
    for (const auto& name : figures_of(runs)) metrics.push_back(column_of(reader, name, false));
  const auto by = by_key ? 0 : sort_place(reader, word, metrics);
  auto groups = group_runs(runs, key, metrics);
  if (!by_key)
    sort_groups(groups, by,
                tracker::lower_is_better(metrics[by].key->name) != options.sort.starts_with('-'));
  const auto all = std::ssize(groups);
  if (options.most() > 0 && all > options.most())
    groups.erase(groups.begin() + options.most(), groups.end());
  if (options.shape.json)
    print_json(group_json(groups, key, metrics));
  else
    print_table(options.shape, group_table(groups, key, metrics, options.shape.csv));
  tell_of_more(options, std::ssize(groups), all, "groups");
  return 0;
}

int work(const Options& options) {
  const auto path = tracker_path(options.database);
  if (!std::filesystem::exists(path)) {
    if (!options.filter.empty()) tracker::parse_filter(join(options.filter, " "));
    return nothing_yet(options, path);
  }
  const Reader reader(path);
  warn_of_test_metric(reader, options.sort);
  return options.group_by.empty() ? list(options, reader) : list_groups(options, reader);
}

void add_list_options(CLI::App& command, Options& options) {
  command
      .add_option("--sort", options.sort,
                  "Column, parameter or metric; metrics best first, -KEY reversed")
      ->type_name("KEY");
  command
      .add_option("--limit", options.limit,
                  "At most N lines, 0 for all (default: 30 in a table, else all)")
      ->type_name("N")
      ->check(CLI::NonNegativeNumber);
  command
      .add_option("--columns", options.columns,
                  "Columns, parameters, metrics, best(KEY), separated by commas")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name("A,B");
  command
      .add_option("--group-by", options.group_by,
                  "One line for all runs with the same KEY: mean, standard deviation and number of "
                  "runs for each metric")
      ->type_name("KEY");
}

}  // namespace

void add_runs(CLI::App& app, Action& action) {
  auto* command =
      app.add_subcommand("runs", "List the runs of the tracker, all or those asked for");
  auto options = std::make_shared<Options>();
  command
      ->add_option("filter", options->filter,
                   "Which runs: conditions on columns, parameters and metrics (docs/filters.md)")
      ->type_name("FILTER");
  add_list_options(*command, *options);
  add_shape_options(*command, options->shape, "Everything, as a JSON array");
  add_tracker_option(*command, options->database);
  command->footer(
      "Example:\n  bcx runs 'best(val.auc) > 0.9 and started > \"-7d\"' --sort val.auc --limit 10 "
      "\\\n    --columns id,name,learning_rate,'best(val.auc)'");
  command->callback([options, &action] { action = [options] { return work(*options); }; });
}

}  // namespace bcx::cli
