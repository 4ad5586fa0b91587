// The queries behind lists of runs.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "tracker/reader.h"
#include "tracker/sqlite.h"

namespace bcx::tracker {

/// A piece of SQL with the values of its `?`, in order. `?` without numbers, so that pieces can be
/// put behind one another.
struct SqlCondition {
  using Value = std::variant<std::int64_t, double, std::string>;
  std::string sql;
  std::vector<Value> values;
  std::set<std::int64_t> metrics = {};  ///< ids of those whose rows it reads as `m<id>`
};
/// How many metrics one query may read: SQLite joins 64 tables.
inline constexpr std::size_t most_metrics = 50;
/// Binds from parameter `at` on; returns the next one.
int bind_all(Statement& statement, int at, const std::vector<SqlCondition::Value>& values);

/// Every key that runs of this file have.
struct KnownKeys {
  struct Metric {
    std::string name;
    std::int64_t id = 0;
  };
  std::vector<std::string> params;  ///< in order
  std::vector<Metric> metrics;      ///< in the order of names
  std::string param_index;          ///< the index to be used for a parameter of each run
};
KnownKeys known_keys(const Database& database);

/// A column, parameter or metric by its name in full or its last part. Throws (usage).
Key resolve_key(const KnownKeys& known, std::string_view word);

/// The same, or `best(KEY)` and the like.
Key resolve_term(const KnownKeys& known, std::string_view word);

/// The SQL of a metric's value over `run r`, joined with its metrics; `function` as in Key.
SqlCondition metric_value(const KnownKeys& known, const std::string& name,
                          std::string_view function);
/// Rows of the runs that the file calls running and of which something else is known.
struct NotRunning {
  std::vector<std::int64_t> crashed, unknown;  ///< as in RunShown::status
};
/// The SQL of a column (run_columns.h) over `run r`.
SqlCondition column_value(const char* sql, const NotRunning& not_running);

/// The runs that `query` asks for; statuses are as in the file. `where` is a condition over
/// `run r`; all runs that are not in the trash when its text is empty.
RunList list_runs(const Database& database, const RunQuery& query, const KnownKeys& known,
                  const NotRunning& not_running, const SqlCondition& where);
/// One run with every parameter and metric, by its row; none when it is in the trash.
std::vector<RunShown> read_run(const Database& database, std::int64_t row);

/// Whether this order depends on which runs are alive.
bool sorts_by_life(std::string_view sort);
NotRunning not_running(const Database& database);
/// Looks whether runs that the file calls running are: sets the status, the reason and the end.
void check_alive(const Database& database, std::vector<RunShown>& runs);

}  // namespace bcx::tracker
