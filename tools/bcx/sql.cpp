// `bcx sql 'SELECT ...'`: any question to the tracker, which cannot be changed by it.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/table.h"
#include "base/text.h"
#include "commands.h"
#include "json_text.h"
#include "tracker/sql_query.h"
#include "tracker_text.h"

namespace bcx::cli {
namespace {

using tracker::SqlCell;

struct Options {
  std::string database, query;
  tracker::SqlLimits limits;
  TableShape shape;
};

std::string hex(const std::vector<std::byte>& blob) {
  std::string out;
  for (const std::byte one : blob) out += fmt::format("{:02x}", static_cast<unsigned>(one));
  return out;
}

/// `full`: every digit, for other programs.
std::string cell_text(const SqlCell& cell, bool full) {
  if (const auto* whole = std::get_if<std::int64_t>(&cell)) return fmt::format("{}", *whole);
  if (const auto* real = std::get_if<double>(&cell))
    return full ? shortest(*real) : number_text(*real);
  if (const auto* text = std::get_if<std::string>(&cell)) return *text;
  if (const auto* blob = std::get_if<std::vector<std::byte>>(&cell)) return hex(*blob);
  return "";
}

nlohmann::ordered_json cell_json(const SqlCell& cell) {
  if (const auto* whole = std::get_if<std::int64_t>(&cell)) return *whole;
  if (const auto* real = std::get_if<double>(&cell))
    return std::isfinite(*real) ? nlohmann::ordered_json(*real) : nlohmann::ordered_json(nullptr);
  if (std::holds_alternative<std::monostate>(cell)) return nullptr;
  return cell_text(cell, true);
}

bool is_number(const std::vector<SqlCell>& row, std::size_t column) {
  return row[column].index() <= 2;  // NULL, INTEGER, REAL
}

Table table_of(const tracker::SqlResult& result, bool full) {
  std::vector<Column> columns;
  for (std::size_t i = 0; i < result.columns.size(); ++i) {
    const bool numbers = std::all_of(result.rows.begin(), result.rows.end(),
                                     [i](const auto& row) { return is_number(row, i); });
    columns.push_back({result.columns[i], numbers ? Align::right : Align::left, numbers ? 0 : 1});
  }
  Table table(columns);
  for (const auto& row : result.rows) {
    std::vector<std::string> cells;
    for (const auto& one : row) cells.push_back(cell_text(one, full));
    table.add(std::move(cells));
  }
  return table;
}

void print_json(const tracker::SqlResult& result) {
  auto json = nlohmann::ordered_json::array();
  for (const auto& row : result.rows) {
    auto one = nlohmann::ordered_json::object();
    for (std::size_t i = 0; i < row.size(); ++i) one[result.columns[i]] = cell_json(row[i]);
    json.push_back(std::move(one));
  }
  fmt::print("{}\n", dump(json));
}

int work(const Options& options) {
  const auto result =
      tracker::run_sql(tracker_path(options.database), options.query, options.limits);
  if (options.shape.json)
    print_json(result);
  else
    print_table(options.shape, table_of(result, options.shape.csv));
  if (result.cut)
    fmt::print(stderr, "only the first {} rows; --limit N allows more, --limit 0 all that fit\n",
               grouped(std::ssize(result.rows)));
  return 0;
}

}  // namespace

void add_sql(CLI::App& app, Action& action) {
  auto* command = app.add_subcommand("sql", "Ask the tracker in SQL, reading only");
  auto options = std::make_shared<Options>();
  command
      ->add_option("query", options->query,
                   "One SELECT over v_run, v_metric, v_best, v_prediction or the tables "
                   "(docs/tracker.md, docs/recipes.md)")
      ->type_name("SQL")
      ->required();
  command
      ->add_option("--limit", options->limits.rows, "At most N rows, 0 for all (default: 10,000)")
      ->type_name("N")
      ->check(CLI::NonNegativeNumber);
  command->add_option("--timeout", options->limits.seconds, "Give up after so many (default: 30)")
      ->type_name("SECONDS")
      ->check(CLI::PositiveNumber);
  add_shape_options(*command, options->shape, "An array of objects");
  add_tracker_option(*command, options->database);
  command->footer(
      "Functions: auc(score, target), f1(predicted, target), balanced_accuracy(predicted, "
      "target),\n"
      "percentile(value, p), stddev(value), spark(value), sigmoid(x), probability(logits, class),\n"
      "predicted(logits), logit(logits, class)\n\n"
      "Example:\n  bcx sql \"SELECT name, spark(value) FROM v_metric WHERE key = 'val.auc' GROUP "
      "BY "
      "run\"");
  command->callback([options, &action] { action = [options] { return work(*options); }; });
}

}  // namespace bcx::cli
