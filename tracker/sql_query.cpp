#include "tracker/sql_query.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <memory>

#include "base/text.h"
#include "tracker/pointed_error.h"
#include "tracker/run_life.h"
#include "tracker/schema.h"
#include "tracker/sql_functions.h"
#include "tracker/sqlite.h"

namespace bcx::tracker {
namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* only_reading =
    "`bcx sql` runs one SELECT and changes nothing; docs/recipes.md has examples";

/// Reading, functions and recursion; of PRAGMA what only tells about tables.
int authorize(void*, int action, const char* first, const char* second, const char*, const char*) {
  constexpr std::array<const char*, 5> told{"table_info", "table_xinfo", "table_list", "index_list",
                                            "foreign_key_list"};
  switch (action) {
    case SQLITE_SELECT:
    case SQLITE_READ:
    case SQLITE_RECURSIVE:
      return SQLITE_OK;
    case SQLITE_FUNCTION:
      return second && sqlite3_stricmp(second, "load_extension") == 0 ? SQLITE_DENY : SQLITE_OK;
    case SQLITE_PRAGMA:
      for (const char* one : told)
        if (first && sqlite3_stricmp(first, one) == 0) return SQLITE_OK;
      return SQLITE_DENY;
    default:
      return SQLITE_DENY;
  }
}

int out_of_time(void* end) {
  return Clock::now() > *static_cast<const Clock::time_point*>(end);
}

/// SQLite's heap, of the whole process, bounded for a while.
class HeapLimit {
 public:
  explicit HeapLimit(std::size_t bytes)
      : before_(sqlite3_hard_heap_limit64(static_cast<sqlite3_int64>(bytes))) {}
  ~HeapLimit() { sqlite3_hard_heap_limit64(before_); }
  HeapLimit(const HeapLimit&) = delete;
  HeapLimit& operator=(const HeapLimit&) = delete;

 private:
  sqlite3_int64 before_;
};

struct Finalize {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Prepared = std::unique_ptr<sqlite3_stmt, Finalize>;

[[noreturn]] void throw_error(const Database& database, std::string_view sql, int result,
                              const SqlLimits& limits) {
  sqlite3* handle = database.handle();
  const std::string message = printable(sqlite3_errmsg(handle));
  switch (result & 0xFF) {
    case SQLITE_INTERRUPT:
      throw Error(ExitCode::other, {fmt::format("the query took over {} s", limits.seconds), "",
                                    "ask for less, or allow more with --timeout"});
    case SQLITE_NOMEM:
      throw Error(ExitCode::other,
                  {fmt::format("the query needs more than {} of memory", human_bytes(limits.bytes)),
                   "", "ask for less"});
    case SQLITE_AUTH:
    case SQLITE_READONLY:
      throw Error(ExitCode::usage, {"that is not allowed here: " + message, "sql", only_reading});
    case SQLITE_ERROR:
    case SQLITE_TOOBIG:
    case SQLITE_RANGE:
    case SQLITE_MISMATCH: {
      const int at = sqlite3_error_offset(handle);
      if (at < 0) throw Error(ExitCode::usage, {message, "sql", ""});
      throw pointed_error("sql", sql, static_cast<std::size_t>(at), 1, message);
    }
    default:
      throw_sqlite(handle, database.path().string(), result);
  }
}

/// True when nothing but space and comments is left.
bool is_empty(sqlite3* database, const char* text, const char* end) {
  sqlite3_stmt* more = nullptr;
  const int result =
      sqlite3_prepare_v2(database, text, static_cast<int>(end - text), &more, nullptr);
  const Prepared close(more);
  return result == SQLITE_OK && !more;
}

Prepared prepare(const Database& database, std::string_view sql, const SqlLimits& limits) {
  sqlite3_stmt* made = nullptr;
  const char* tail = nullptr;
  const int result =
      sqlite3_prepare_v2(database.handle(), sql.data(), static_cast<int>(sql.size()), &made, &tail);
  Prepared statement(made);
  if (result != SQLITE_OK) throw_error(database, sql, result, limits);
  if (!statement) throw Error(ExitCode::usage, {"there is no SQL here", "sql", only_reading});
  if (!is_empty(database.handle(), tail, sql.data() + sql.size())) {
    const auto at = static_cast<std::size_t>(tail - sql.data());
    const auto start = sql.find_first_not_of(" \t\r\n", at);
    throw pointed_error("sql", sql, start == sql.npos ? at : start, 1,
                        "a second statement begins here", "give one at a time");
  }
  if (!sqlite3_stmt_readonly(statement.get()))
    throw Error(ExitCode::usage, {"that is not allowed here", "sql", only_reading});
  return statement;
}

SqlCell cell(sqlite3_stmt* row, int column) {
  const auto bytes = [&] { return static_cast<std::size_t>(sqlite3_column_bytes(row, column)); };
  switch (sqlite3_column_type(row, column)) {
    case SQLITE_INTEGER:
      return std::int64_t{sqlite3_column_int64(row, column)};
    case SQLITE_FLOAT:
      return sqlite3_column_double(row, column);
    case SQLITE_TEXT: {
      const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(row, column));
      return text ? std::string(text, bytes()) : std::string();
    }
    case SQLITE_BLOB: {
      const auto* data = static_cast<const std::byte*>(sqlite3_column_blob(row, column));
      return std::vector<std::byte>(data, data + (data ? bytes() : 0));
    }
    default:
      return {};
  }
}

std::size_t size_of(const SqlCell& one) {
  if (const auto* text = std::get_if<std::string>(&one)) return sizeof one + text->size();
  if (const auto* blob = std::get_if<std::vector<std::byte>>(&one))
    return sizeof one + blob->size();
  return sizeof one;
}

/// `'a','b'` of the runs' ids, for a list in SQL.
std::string quoted_ids(const Database& database, const std::vector<std::int64_t>& runs) {
  auto& quoted = database.cached("SELECT quote(uuid) FROM run WHERE id=?");
  std::vector<std::string> ids;
  for (const auto run : runs)
    if (quoted.start(run)) ids.push_back(quoted.text(0));
  quoted.reset();
  return join(ids, ",");
}

/// Over the file's view lies one of this connection that says of each run what is true now: a run
/// whose process is gone is `crashed` here, too.
void show_true_status(Database& database) {
  const auto gone = not_running(database);
  if (gone.crashed.empty() && gone.unknown.empty()) return;
  std::string columns;
  auto& names = database.cached(
      "SELECT '\"' || replace(name, '\"', '\"\"') || '\"', name='status' "
      "FROM pragma_table_info('v_run', 'main')");
  while (names.step())
    columns +=
        (columns.empty() ? "" : ",") +
        (names.integer(1) == 0
             ? names.text(0)
             : fmt::format("CASE WHEN run IN ({}) THEN 'crashed' WHEN run IN ({}) THEN "
                           "'unknown' ELSE status END AS status",
                           quoted_ids(database, gone.crashed), quoted_ids(database, gone.unknown)));
  names.reset();
  database.execute("PRAGMA query_only=OFF");
  database.execute(fmt::format("CREATE TEMP VIEW v_run AS SELECT {} FROM main.v_run", columns));
  database.execute("PRAGMA query_only=ON");
}

void restrict(const Database& database, Clock::time_point& end) {
  sqlite3* handle = database.handle();
  constexpr std::array<std::pair<int, int>, 6> most{{{SQLITE_LIMIT_LENGTH, 64 << 20},
                                                     {SQLITE_LIMIT_SQL_LENGTH, 100'000},
                                                     {SQLITE_LIMIT_ATTACHED, 0},
                                                     {SQLITE_LIMIT_VDBE_OP, 1'000'000},
                                                     {SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 1'000},
                                                     {SQLITE_LIMIT_EXPR_DEPTH, 500}}};
  for (const auto& [what, value] : most) sqlite3_limit(handle, what, value);
  sqlite3_progress_handler(handle, 10'000, out_of_time, &end);
  sqlite3_set_authorizer(handle, authorize, nullptr);
}

}  // namespace

SqlResult run_sql(const std::filesystem::path& path, std::string_view sql,
                  const SqlLimits& limits) {
  Database database = open_for_reading(path);
  // What sorting needs counts as memory: a temporary file could fill a disk.
  database.execute("PRAGMA temp_store=MEMORY");
  if (lower(sql).find("v_run") != std::string::npos) show_true_status(database);
  add_sql_functions(database.handle());
  const HeapLimit heap(limits.bytes);
  const auto seconds = std::clamp(limits.seconds, 0.0, 1e9);
  auto end = Clock::now() +
             std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  restrict(database, end);

  const auto statement = prepare(database, sql, limits);
  SqlResult out;
  const int columns = sqlite3_column_count(statement.get());
  for (int i = 0; i < columns; ++i) {
    const char* name = sqlite3_column_name(statement.get(), i);
    out.columns.emplace_back(name ? name : "");
  }
  std::size_t bytes = 0;
  int result = SQLITE_OK;
  while ((result = sqlite3_step(statement.get())) == SQLITE_ROW) {
    out.cut = (limits.rows > 0 && std::ssize(out.rows) >= limits.rows) || bytes > limits.bytes;
    if (out.cut) return out;
    auto& row = out.rows.emplace_back();
    for (int i = 0; i < columns; ++i) bytes += size_of(row.emplace_back(cell(statement.get(), i)));
  }
  if (result != SQLITE_DONE) throw_error(database, sql, result, limits);
  return out;
}

}  // namespace bcx::tracker
