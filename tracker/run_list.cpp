#include "tracker/run_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "base/error.h"
#include "base/text.h"
#include "tracker/run_columns.h"

namespace bcx::tracker {
namespace {

/// How many metrics one query may read: SQLite joins 64 tables.
constexpr std::size_t most_metrics = 50;

/// What runs are ordered by: NULL for all when nobody says.
struct Order {
  SqlCondition by{"NULL", {}};
  bool descending = false;
};

Order order_of(const KnownKeys& known, std::string_view sort, const NotRunning& not_running) {
  if (sort.empty()) return {};
  const bool reversed = sort[0] == '-';
  const Key key = resolve_term(known, reversed ? sort.substr(1) : sort);
  switch (key.kind) {
    case Key::Kind::metric:
      return {metric_value(known, key.name, key.function), lower_is_better(key.name) == reversed};
    case Key::Kind::param:
      return {{fmt::format("(SELECT value FROM param p {} WHERE p.run=r.id AND p.key=?)",
                           known.param_index),
               {key.name}},
              reversed};
    default:
      const auto* column = find_run_column(key.name);
      return {column_value(column->sql, not_running), column->descending != reversed};
  }
}

/// One look-up a run for each metric, in an index that holds nothing but a metric's values.
std::string joined_metrics(std::set<std::int64_t> metrics, const std::set<std::int64_t>& more) {
  metrics.insert(more.begin(), more.end());
  if (metrics.size() > most_metrics)
    throw Error(ExitCode::usage, {fmt::format("a filter asks for {} metrics", metrics.size()), "",
                                  fmt::format("at most {} at once", most_metrics)});
  std::string sql;
  for (const auto id : metrics)
    sql += fmt::format(
        " LEFT JOIN metric_summary m{0} INDEXED BY metric_summary_by_key ON m{0}.key={0} AND "
        "m{0}.run=r.id",
        id);
  return sql;
}

/// Binds from parameter `at` on; returns the next one.
int bind_all(Statement& statement, int at, const std::vector<SqlCondition::Value>& values) {
  for (const auto& value : values)
    std::visit([&](const auto& one) { statement.bind(at++, one); }, value);
  return at;
}

/// The rows of the runs that `where` lets through, in order.
std::vector<std::int64_t> select_rows(const Database& database, const Order& order,
                                      const SqlCondition& where) {
  // A run without a value comes last either way; ties newest first.
  auto rows = database.prepare(
      fmt::format("SELECT r.id, {} AS k FROM run r{} WHERE r.trashed IS NULL {} "
                  "ORDER BY k IS NULL, k {}, r.started DESC, r.id DESC",
                  order.by.sql, joined_metrics(order.by.metrics, where.metrics),
                  where.sql.empty() ? "" : "AND " + where.sql, order.descending ? "DESC" : "ASC"));
  bind_all(rows, bind_all(rows, 1, order.by.values), where.values);
  std::vector<std::int64_t> found;
  while (rows.step()) found.push_back(rows.integer(0));
  return found;
}

RunShown run_of(const Statement& row) {
  RunShown run;
  run.row = row.integer(0);
  run.id = row.text(1);
  // These two are printed as they are: of a file that somebody made by hand they may be anything.
  run.short_id = printable(run.id.substr(run.id.size() - std::min<std::size_t>(8, run.id.size())));
  run.name = row.text(2);
  run.experiment = row.text(3);
  run.status = printable(row.text(4));
  run.started = row.integer(5);
  run.ended = row.maybe_integer(6);
  run.exit_reason = row.text(7);
  run.attempts = row.integer(8);
  run.seed = row.integer(9);
  run.parent = row.text(10);
  run.notes = row.text(11);
  run.command = row.text(12);
  run.git_commit = row.text(13);
  run.version = row.text(14);
  run.config_hash = row.text(15);
  run.folder = row.text(16);
  run.host = row.text(17);
  run.pid = row.integer(18);
  return run;
}

std::optional<RunShown> one_run(const Database& database, std::int64_t row) {
  auto& rows = database.cached(
      "SELECT r.id, r.uuid, r.name, r.experiment, r.status, r.started, r.ended, r.exit_reason, "
      "r.attempt, r.seed, (SELECT q.uuid FROM run q WHERE q.id=r.parent), r.notes, r.command, "
      "r.git_commit, r.version, r.config_hash, r.folder, a.host, a.pid "
      "FROM run r LEFT JOIN attempt a ON a.run=r.id AND a.number=r.attempt "
      "WHERE r.id=? AND r.trashed IS NULL");
  std::optional<RunShown> run;
  if (rows.start(row)) run = run_of(rows);
  rows.reset();
  return run;
}

/// Goes through `sql` (which selects the run first) for the runs at hand: one by one while they are
/// few, else in one pass over all.
template <typename Take>
void for_rows(const Database& database, const std::string& sql,
              const std::unordered_map<std::int64_t, RunShown*>& runs, Take take) {
  const auto feed = [&](Statement& rows, bool more) {
    for (; more; more = rows.step())
      if (const auto run = runs.find(rows.integer(0)); run != runs.end()) take(*run->second, rows);
    rows.reset();
  };
  if (runs.size() > 64) {
    auto& rows = database.cached(sql);
    feed(rows, rows.step());
    return;
  }
  auto& rows = database.cached(sql + " AND run=?");
  for (const auto& [row, run] : runs) feed(rows, rows.start(row));
}

ParamShown read_param(const Statement& row, int type, int value, int origin) {
  const auto kind = row.text(type);
  ParamShown out;
  out.origin = row.text(origin);
  out.list = kind == "list";
  if (kind == "bool")
    out.value = row.integer(value) != 0;
  else if (kind == "int")
    out.value = row.integer(value);
  else if (kind == "float")
    out.value = row.real(value);
  else
    out.value = row.text(value);
  return out;
}

MetricSummary read_summary(const Statement& row, int first) {
  MetricSummary out;
  out.count = row.integer(first);
  out.nan_count = row.integer(first + 1);
  out.last = row.real(first + 2);
  out.last_step = row.integer(first + 3);
  out.last_epoch = row.real(first + 4);
  out.min = row.maybe_real(first + 5);
  out.min_step = row.integer(first + 6);
  out.max = row.maybe_real(first + 7);
  out.max_step = row.integer(first + 8);
  return out;
}

/// ` AND column IN ('a','b')` from names that are in the file, or nothing when all are wanted.
std::string only(const char* column, const std::vector<std::string>& names, bool all) {
  if (all) return "";
  std::string list;
  for (const auto& name : names) {
    std::string quoted = name;
    for (std::size_t at = 0; (at = quoted.find('\'', at)) != quoted.npos; at += 2)
      quoted.insert(at, "'");
    list += (list.empty() ? "'" : ",'") + quoted + "'";
  }
  return fmt::format(" AND {} IN ({})", column, list);
}

void add_details(const Database& database, std::vector<RunShown>& runs, const RunQuery& query) {
  std::unordered_map<std::int64_t, RunShown*> by_row;
  for (auto& run : runs) by_row[run.row] = &run;
  for_rows(database, "SELECT run, tag FROM run_tag WHERE 1", by_row,
           [](RunShown& run, const Statement& row) { run.tags.push_back(row.text(1)); });
  for_rows(database, "SELECT run, stamp, detail FROM run_stamp WHERE 1", by_row,
           [](RunShown& run, const Statement& row) {
             run.stamps.push_back({row.text(1), row.text(2)});
           });
  if (!query.all_keys && query.keys.empty()) return;
  for_rows(database,
           "SELECT run, key, type, value, origin FROM param WHERE 1" +
               only("key", query.keys, query.all_keys),
           by_row, [](RunShown& run, const Statement& row) {
             run.params[row.text(1)] = read_param(row, 2, 3, 4);
           });
  for_rows(database,
           "SELECT run, (SELECT name FROM metric_key k WHERE k.id=key), count, nan_count, last, "
           "last_step, last_epoch, min, min_step, max, max_step FROM metric_summary WHERE 1" +
               (query.all_keys ? ""
                               : " AND key IN (SELECT id FROM metric_key WHERE 1" +
                                     only("name", query.keys, false) + ")"),
           by_row, [](RunShown& run, const Statement& row) {
             run.metrics[row.text(1)] = read_summary(row, 2);
           });
}

}  // namespace

RunList list_runs(const Database& database, const RunQuery& query, const KnownKeys& known,
                  const NotRunning& not_running, const SqlCondition& where) {
  auto rows = select_rows(database, order_of(known, query.sort, not_running), where);
  RunList list;
  list.matching = std::ssize(rows);
  if (query.limit > 0 && list.matching > query.limit)
    rows.resize(static_cast<std::size_t>(query.limit));
  for (const auto row : rows)
    if (auto run = one_run(database, row)) list.runs.push_back(std::move(*run));
  add_details(database, list.runs, query);
  return list;
}

std::vector<RunShown> read_run(const Database& database, std::int64_t row) {
  std::vector<RunShown> runs;
  if (auto run = one_run(database, row)) runs.push_back(std::move(*run));
  RunQuery query;
  query.all_keys = true;
  add_details(database, runs, query);
  return runs;
}

}  // namespace bcx::tracker
