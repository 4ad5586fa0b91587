// Opening a tracker: by the rules of docs/tracker.md, and no other way.
#include <fmt/format.h>
#include <sqlite3.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"
#include "tracker/file_lock.h"
#include "tracker/host.h"
#include "tracker/schema.h"

namespace bcx::tracker {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

[[noreturn]] void fail(const fs::path& path, std::string what, std::string remedy) {
  throw Error(ExitCode::storage, {std::move(what), printable(path.string()), std::move(remedy)});
}

void require_tracker(const Database& database) {
  if (database.pragma("application_id") != application_id)
    fail(database.path(), "this SQLite file is not a bcx tracker",
         "name another database with --tracker");
  // A view or a virtual table under one of our names would run somebody else's query, or code, for
  // each row that is asked for.
  auto others = database.prepare(
      "SELECT t.name, t.type FROM pragma_table_list t WHERE t.schema='main' AND t.type<>'table' "
      "AND "
      "t.name IN ('artifact', 'attempt', 'checkpoint', 'curve', 'dataset', 'evaluation', "
      "'evaluation_metric', 'event', 'metric', 'metric_bucket', 'metric_key', 'metric_summary', "
      "'packed_file', 'packed_piece', 'param', 'plugin', 'prediction', 'run', 'run_stamp', "
      "'run_tag', 'sample', 'split', 'split_part', 'sweep', 'system', 'trial')");
  if (others.step())
    fail(database.path(),
         fmt::format("\"{}\" is a {} here, and bcx writes a table", printable(others.text(0)),
                     others.text(1) == "view" ? "view" : "virtual table"),
         "somebody changed this file: name another database with --tracker");
}

bool is_empty(const Database& database) {
  auto count = database.prepare("SELECT count(*) FROM sqlite_schema");
  count.step();
  return count.integer(0) == 0 && database.pragma("application_id") == 0;
}

/// A copy of the whole database as one file, complete before it gets its name.
void back_up(Database& database, const fs::path& target) {
  const fs::path temporary = target.string() + ".tmp";
  fs::remove(temporary);
  {
    Database copy(temporary, Database::Mode::write);
    sqlite3_backup* backup = sqlite3_backup_init(copy.handle(), "main", database.handle(), "main");
    const int result = backup ? sqlite3_backup_step(backup, -1) : sqlite3_errcode(copy.handle());
    sqlite3_backup_finish(backup);
    if (result != SQLITE_DONE) throw_sqlite(copy.handle(), temporary.string(), result);
  }
  fs::rename(temporary, target);
}

void make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error)
    fail(folder, "cannot make the tracker's folder: " + system_message(error.value()),
         "name another database with --tracker");
}

FileLock take_database_lock(const fs::path& path) {
  auto lock = FileLock::take(lock_path(path), milliseconds(60'000));
  if (!lock)
    fail(path, "another process has been opening this tracker for over 60 s",
         "see who with `fuser`, or name another database with --tracker");
  return std::move(*lock);
}

/// Room for what SQLite makes beside a file in use: 32 KiB of shared memory.
bool has_room(const fs::path& folder) {
  std::error_code error;
  const auto room = fs::space(folder, error);
  return error || room.available >= 64 * 1024;
}

/// Readers of a WAL file need its shared memory, too. Where that cannot be made (a folder that
/// cannot be written, a full disk) and nothing waits in the WAL, the file is read as one that
/// nobody changes: a writer would have made that memory.
Database open_connection_for_reading(const fs::path& path) {
  Database database(path, Database::Mode::read);
  try {
    database.pragma("user_version");
    return database;
  } catch (const Error&) {
    std::error_code none;
    const auto pending = fs::file_size(path.string() + "-wal", none);
    const bool writable =
        access(path.parent_path().c_str(), W_OK) == 0 && has_room(path.parent_path());
    if (writable || (!none && pending > 0)) throw;
  }
  return Database(path, Database::Mode::read_immutable);
}

}  // namespace

fs::path lock_path(const fs::path& database) {
  return database.string() + "-lock";
}

void migrate(Database& database, std::span<const Migration> steps) {
  const int latest = steps.back().version;
  const bool fresh = is_empty(database);
  if (!fresh) require_tracker(database);
  const auto version = static_cast<int>(database.pragma("user_version"));
  if (version > latest)
    fail(database.path(),
         fmt::format("this tracker was written by a newer bcx (schema {}, this one knows {})",
                     version, latest),
         "it can be read; to write, update bcx or name another database with --tracker");
  if (version == latest) return;
  if (!fresh) back_up(database, fmt::format("{}.v{}.backup", database.path().string(), version));
  Transaction transaction(database);
  if (fresh) database.execute(fmt::format("PRAGMA application_id={}", application_id));
  for (const auto& step : steps)
    if (step.version > version) database.execute(step.sql);
  database.execute(fmt::format("PRAGMA user_version={}", latest));
  transaction.commit();
}

Database open_for_writing(const fs::path& given) {
  const fs::path path = fs::absolute(given).lexically_normal();
  make_folder(path.parent_path());
  refuse_network_file_system(path.parent_path());
  const FileLock lock = take_database_lock(path);
  Database database(path, Database::Mode::write);
  if (database.read_only())
    fail(path, "the tracker's database is read-only",
         "check the permissions of the file and its folder, or name another with --tracker");
  if (!is_empty(database)) require_tracker(database);
  database.execute("PRAGMA journal_mode=WAL");
  database.execute("PRAGMA wal_autocheckpoint=0");
  database.execute("PRAGMA synchronous=FULL");
  migrate(database, migrations());
  return database;
}

Database open_for_reading(const fs::path& given) {
  const fs::path path = fs::absolute(given).lexically_normal();
  if (!fs::exists(path))
    throw Error(ExitCode::usage,
                {"there is no tracker here yet", printable(path.string()),
                 "`bcx run FILE` makes it; --tracker DB or BCX_TRACKER names another"});
  Database database = open_connection_for_reading(path);
  database.execute("PRAGMA query_only=ON");
  require_tracker(database);
  return database;
}

void checkpoint_wal(Database& database) {
  const auto lock = FileLock::take(lock_path(database.path()), milliseconds(0));
  if (!lock) return;  // somebody is at it
  sqlite3_wal_checkpoint_v2(database.handle(), "main", SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
}

void close_after_writing(Database database, milliseconds patience) noexcept {
  std::optional<FileLock> lock;
  try {
    lock = FileLock::take(lock_path(database.path()), patience);
  } catch (const Error&) {  // the folder is gone or read-only by now
  }
  if (lock) sqlite3_db_config(database.handle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, nullptr);
  const Database closed_first = std::move(database);
}

}  // namespace bcx::tracker
