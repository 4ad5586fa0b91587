// `bcx sql`: one SELECT by anybody, over a tracker that it cannot change.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace bcx::tracker {

struct SqlLimits {
  double seconds = 30;
  std::int64_t rows = 10'000;        ///< 0: all
  std::size_t bytes = 256ull << 20;  ///< of the result; also what SQLite may allocate, and sort in
};

/// NULL, INTEGER, REAL, TEXT or BLOB.
using SqlCell =
    std::variant<std::monostate, std::int64_t, double, std::string, std::vector<std::byte>>;

struct SqlResult {
  std::vector<std::string> columns;
  std::vector<std::vector<SqlCell>> rows;
  bool cut = false;  ///< there was more than the limits let through
};

/// Runs one statement on a connection of its own: read-only, with an authorizer that lets it read
/// tables and views and call functions, and nothing else (no ATTACH, no writing, of PRAGMA only
/// table_info, table_xinfo, table_list, index_list and foreign_key_list), without temporary files.
/// It has the functions of sql_functions.h, and `v_run.status` is what RunShown::status says:
/// looked at now, not as recorded. SQLite's heap limit is lowered for the whole process while it
/// runs.
///
/// Throws bcx::Error: usage with a caret for what SQLite cannot read or may not do, `other` for a
/// query that takes too long or too much memory, storage for the file.
SqlResult run_sql(const std::filesystem::path& database, std::string_view sql,
                  const SqlLimits& limits = {});

}  // namespace bcx::tracker
