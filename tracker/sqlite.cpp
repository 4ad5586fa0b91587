#include "tracker/sqlite.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <cerrno>
#include <limits>

#include "base/text.h"

namespace bcx::tracker {
namespace {

constexpr int busy_milliseconds = 60'000;
constexpr int longest_value = 1 << 30;  // bytes of one text or blob; a hostile file may claim more

const char* remedy(int result) {
  switch (result & 0xFF) {
    case SQLITE_FULL:
      return "free some space, or name a database on another disk with --tracker";
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return "another process has held the database for over 60 s: see who with `fuser`";
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
      return "check the permissions of the file and its folder, or name another with --tracker";
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return "restore it from a backup, or name another database with --tracker";
    default:
      return "";
  }
}

/// `path` as an SQLite URI: everything but the plainest characters is percent-encoded.
std::string uri(const std::filesystem::path& path, const char* query) {
  std::string out = "file:";
  for (const unsigned char c : path.string()) {
    const bool plain = std::isalnum(c) || c == '/' || c == '.' || c == '_' || c == '-';
    out += plain ? std::string(1, static_cast<char>(c)) : fmt::format("%{:02X}", c);
  }
  return out + query;
}

}  // namespace

void throw_sqlite(sqlite3* database, const std::string& path, int result) {
  // SQLite's shared memory on a full disk is "disk I/O error" to it.
  if (database && (result & 0xFF) == SQLITE_IOERR && sqlite3_system_errno(database) == ENOSPC)
    throw_sqlite(nullptr, path, SQLITE_FULL);
  const std::string message = database ? sqlite3_errmsg(database) : sqlite3_errstr(result);
  throw Error(ExitCode::storage, {"the tracker's database failed: " + printable(message),
                                  printable(path), remedy(result)});
}

void Statement::Close::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

Statement::Statement(sqlite3* database, const std::string& path, std::string_view sql)
    : database_(database), path_(path) {
  sqlite3_stmt* made = nullptr;
  check(sqlite3_prepare_v3(database, sql.data(), static_cast<int>(sql.size()),
                           SQLITE_PREPARE_PERSISTENT, &made, nullptr));
  statement_.reset(made);
}

void Statement::check(int result) const {
  if (result != SQLITE_OK) throw_sqlite(database_, path_, result);
}

Statement& Statement::bind(int at, std::int64_t value) {
  check(sqlite3_bind_int64(statement_.get(), at, value));
  return *this;
}

Statement& Statement::bind(int at, double value) {
  check(sqlite3_bind_double(statement_.get(), at, value));
  return *this;
}

Statement& Statement::bind(int at, std::string_view text) {
  check(sqlite3_bind_text64(statement_.get(), at, text.data() ? text.data() : "", text.size(),
                            SQLITE_TRANSIENT, SQLITE_UTF8));
  return *this;
}

Statement& Statement::bind(int at, std::span<const std::byte> blob) {
  check(blob.empty() ? sqlite3_bind_zeroblob(statement_.get(), at, 0)
                     : sqlite3_bind_blob64(statement_.get(), at, blob.data(), blob.size(),
                                           SQLITE_TRANSIENT));
  return *this;
}

Statement& Statement::bind(int at, std::nullptr_t) {
  check(sqlite3_bind_null(statement_.get(), at));
  return *this;
}

Statement& Statement::bind_from(int at, const Statement& row, int column) {
  check(
      sqlite3_bind_value(statement_.get(), at, sqlite3_column_value(row.statement_.get(), column)));
  return *this;
}

bool Statement::step() {
  const int result = sqlite3_step(statement_.get());
  if (result == SQLITE_ROW) return true;
  if (result == SQLITE_DONE) return false;
  // errmsg must be read before the reset, which a failed statement needs before its next use.
  try {
    throw_sqlite(database_, path_, result);
  } catch (...) {
    sqlite3_reset(statement_.get());
    throw;
  }
}

void Statement::reset() {
  sqlite3_reset(statement_.get());
}

bool Statement::is_null(int column) const {
  return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL;
}
std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}
double Statement::real(int column) const {
  if (is_null(column)) return std::numeric_limits<double>::quiet_NaN();
  return sqlite3_column_double(statement_.get(), column);
}
std::string Statement::text(int column) const {
  const auto* text = sqlite3_column_text(statement_.get(), column);
  const int size = sqlite3_column_bytes(statement_.get(), column);
  return text ? std::string(reinterpret_cast<const char*>(text), static_cast<std::size_t>(size))
              : std::string{};
}
std::span<const std::byte> Statement::blob(int column) const {
  const void* data = sqlite3_column_blob(statement_.get(), column);
  const int size = sqlite3_column_bytes(statement_.get(), column);
  return {static_cast<const std::byte*>(data), static_cast<std::size_t>(data ? size : 0)};
}
std::optional<std::int64_t> Statement::maybe_integer(int column) const {
  if (is_null(column)) return std::nullopt;
  return integer(column);
}
std::optional<double> Statement::maybe_real(int column) const {
  if (is_null(column)) return std::nullopt;
  return real(column);
}

void Database::Close::operator()(sqlite3* database) const {
  sqlite3_close_v2(database);
}

Database::Database(const std::filesystem::path& path, Mode mode)
    : path_(std::filesystem::absolute(path)) {
  int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  flags |= mode == Mode::write ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY;
  std::string name = path_.string();
  if (mode == Mode::read_immutable) {
    name = uri(path_, "?immutable=1");
    flags |= SQLITE_OPEN_URI;
  }
  sqlite3* opened = nullptr;
  const int result = sqlite3_open_v2(name.c_str(), &opened, flags, nullptr);
  handle_.reset(opened);
  if (result != SQLITE_OK) throw_sqlite(opened, path_.string(), result);
  sqlite3_busy_timeout(opened, busy_milliseconds);
  sqlite3_limit(opened, SQLITE_LIMIT_LENGTH, longest_value);
  sqlite3_db_config(opened, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(opened, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  // bcx has none: a trigger came with a file from elsewhere, and would run as whoever writes to it.
  sqlite3_db_config(opened, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
  sqlite3_db_config(opened, SQLITE_DBCONFIG_ENABLE_FKEY, 1, nullptr);
  sqlite3_db_config(opened, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  execute("PRAGMA cell_size_check=ON");
  execute("PRAGMA mmap_size=0");
}

bool Database::read_only() const {
  return sqlite3_db_readonly(handle_.get(), "main") == 1;
}

void Database::execute(const std::string& sql) {
  const int result = sqlite3_exec(handle_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  if (result != SQLITE_OK) throw_sqlite(handle_.get(), path_.string(), result);
}

Statement Database::prepare(std::string_view sql) const {
  return Statement(handle_.get(), path_.string(), sql);
}

Statement& Database::cached(const std::string& sql) const {
  auto found = cache_.find(sql);
  if (found == cache_.end()) found = cache_.emplace(sql, prepare(sql)).first;
  found->second.reset();
  return found->second;
}

std::int64_t Database::pragma(const std::string& name) const {
  auto statement = prepare("PRAGMA " + name);
  return statement.step() ? statement.integer(0) : 0;
}

std::int64_t Database::last_id() const {
  return sqlite3_last_insert_rowid(handle_.get());
}
std::int64_t Database::changes() const {
  return sqlite3_changes64(handle_.get());
}

Transaction::Transaction(Database& database) : database_(database) {
  database.execute("BEGIN IMMEDIATE");
}

Transaction::~Transaction() {
  // SQLite has rolled back by itself after some errors; a second ROLLBACK then fails, harmlessly.
  if (open_) sqlite3_exec(database_.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
}

Snapshot::Snapshot(const Database& database) : database_(database) {
  const int result = sqlite3_exec(database.handle(), "BEGIN", nullptr, nullptr, nullptr);
  if (result != SQLITE_OK) throw_sqlite(database.handle(), database.path().string(), result);
}

Snapshot::~Snapshot() {
  sqlite3_exec(database_.handle(), "COMMIT", nullptr, nullptr, nullptr);
}

void Transaction::commit() {
  database_.execute("COMMIT");
  open_ = false;
}

}  // namespace bcx::tracker
