// What runs can be asked for by name, columns, parameters and metrics, and its SQL.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "tracker/reader.h"
#include "tracker/run_life.h"
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

/// The SQL of a column (run_columns.h) over `run r`.
SqlCondition column_value(const char* sql, const NotRunning& not_running);

}  // namespace bcx::tracker
