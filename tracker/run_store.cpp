#include "tracker/run_store.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"
#include "tracker/host.h"
#include "tracker/store_levels.h"

namespace bcx::tracker {
namespace {

namespace fs = std::filesystem;
using Pairs = std::vector<std::pair<std::string, std::string>>;

constexpr const char* param_sql =
    "INSERT INTO param (run, key, type, value, origin) VALUES (?,?,?,?,?) "
    "ON CONFLICT DO UPDATE SET type=excluded.type, value=excluded.value, origin=excluded.origin";

const char* type_of(const Param& param) {
  if (param.list) return "list";
  static constexpr const char* types[] = {"bool", "int", "float", "string"};
  return types[param.value.index()];
}

std::optional<std::int64_t> row_of_run(Database& database, const std::string& uuid) {
  auto& statement = database.cached("SELECT id FROM run WHERE uuid=?");
  const bool found = statement.start(uuid);
  const auto row = found ? statement.maybe_integer(0) : std::nullopt;
  statement.reset();
  return row;
}

[[noreturn]] void no_such_run(const Database& database, const std::string& uuid) {
  throw Error(ExitCode::usage, {fmt::format("no run has the id \"{}\"", printable(uuid)),
                                printable(database.path().string()), "`bcx runs` lists them"});
}

std::int64_t insert_run(Database& database, const RunDescription& run, const std::string& uuid,
                        const std::string& folder) {
  std::optional<std::int64_t> parent;
  if (run.parent && !(parent = row_of_run(database, *run.parent)))
    no_such_run(database, *run.parent);
  const auto now = now_microseconds();
  database
      .cached(
          "INSERT INTO run (uuid, name, experiment, status, started, updated, exit_reason, "
          "attempt, "
          "seed, parent, notes, command, git_commit, version, config_source, config_resolved, "
          "config_hash, folder) VALUES (?,?,?,'running',?,?,'',1,?,?,?,?,?,?,?,?,?,?)")
      .run(uuid, run.name, run.experiment.empty() ? run.name : run.experiment, now, now, run.seed,
           parent, run.notes, run.command, run.git_commit, run.version, run.config_source,
           run.config_resolved, run.config_hash, folder);
  return database.last_id();
}

void take_trial(Database& database, const TrialRef& trial, std::int64_t run) {
  database
      .cached("UPDATE trial SET run=? WHERE number=? AND sweep=(SELECT id FROM sweep WHERE uuid=?)")
      .run(run, trial.number, trial.sweep);
  if (database.changes() == 1) return;
  throw Error(ExitCode::usage, {fmt::format("no sweep has the trial {}:{}", printable(trial.sweep),
                                            trial.number),
                                printable(database.path().string()), "`bcx sweep status` lists them"});
}

}  // namespace

std::string_view name_of(Status status) {
  static constexpr std::string_view names[] = {"running", "finished", "stopped", "failed"};
  return names[static_cast<int>(status)];
}

std::string_view name_of(Level level) {
  static constexpr std::string_view names[] = {"debug", "info", "warning", "error"};
  return names[static_cast<int>(level)];
}

std::string folder_name(const std::string& run_name, const std::string& short_id) {
  std::string out;
  for (const char c : run_name.substr(0, 60)) {
    const auto code = static_cast<unsigned char>(c);
    const bool plain = code < 128 && (std::isalnum(code) || c == '.' || c == '_' || c == '-');
    out += plain ? c : '_';
  }
  if (out.empty() || out[0] == '.' || out[0] == '-') out.insert(0, "run");
  return out + "-" + short_id;
}

bool is_plain_component(std::string_view name) {
  if (name.empty() || name.size() > 255 || name[0] == '.' || name[0] == '-') return false;
  for (const char c : name) {
    const auto code = static_cast<unsigned char>(c);
    if (code >= 128 || !(std::isalnum(code) || c == '.' || c == '_' || c == '-')) return false;
  }
  return true;
}

RunStore::RunStore(Database database, std::int64_t run, std::string name, std::string folder,
                   std::int64_t attempt)
    : database_(std::move(database)),
      run_(run),
      name_(std::move(name)),
      folder_(std::move(folder)),
      attempt_(attempt) {}

RunStore RunStore::insert(Database opened, const RunDescription& run, const std::string& uuid,
                          const std::string& folder) {
  RunStore store(std::move(opened), 0, run.name, folder, 1);
  Database& database = store.database_;
  Transaction transaction(database);
  store.run_ = insert_run(database, run, uuid, folder);
  store.insert_attempt({}, run.system);
  for (const auto& param : run.params) store.param(param);
  for (const auto& tag : run.tags)
    database.cached("INSERT OR IGNORE INTO run_tag (run, tag) VALUES (?,?)").run(store.run_, tag);
  if (run.trial) take_trial(database, *run.trial, store.run_);
  for (const auto& plugin : run.plugins)
    database
        .cached(
            "INSERT OR IGNORE INTO plugin (run, kind, name, version, build_id, file) "
            "VALUES (?,?,?,?,?,?)")
        .run(store.run_, plugin.kind, plugin.name, plugin.version, plugin.build_id, plugin.file);
  transaction.commit();
  return store;
}

RunStore RunStore::open(Database database, const std::string& uuid) {
  auto& statement =
      database.cached("SELECT id, name, folder, attempt, trashed FROM run WHERE uuid=?");
  if (!statement.start(uuid)) no_such_run(database, uuid);
  const auto row = statement.integer(0), attempt = statement.integer(3);
  const auto name = statement.text(1), folder = statement.text(2);
  const bool trashed = !statement.is_null(4);
  statement.reset();
  if (trashed)
    throw Error(ExitCode::usage, {fmt::format("{} is in the trash", printable(name)),
                                  printable(database.path().string()),
                                  fmt::format("`bcx rm --undo {}` brings it back", uuid)});
  if (!is_plain_component(folder))
    throw Error(ExitCode::storage, {"the run's folder has a name that bcx does not write",
                                    printable(folder), "restore the database from a backup"});
  return RunStore(std::move(database), row, name, folder, attempt);
}

void RunStore::insert_attempt(const Cursor& cursor, const Pairs& system) {
  const auto process = this_process();
  database_
      .cached(
          "INSERT INTO attempt (run, number, started, status, exit_reason, host, boot_id, pid, "
          "start_ticks, first_epoch, first_samples, first_step) "
          "VALUES (?,?,?,'running','',?,?,?,?,?,?,?)")
      .run(run_, attempt_, now_microseconds(), process.host, process.boot_id, process.pid,
           process.start_ticks, cursor.epoch, cursor.samples, cursor.step);
  for (const auto& [key, value] : system)
    database_.cached("INSERT OR REPLACE INTO system (run, attempt, key, value) VALUES (?,?,?,?)")
        .run(run_, attempt_, key, value);
  first_step_ = cursor.step;
}

void RunStore::begin_attempt(const Cursor& cursor, const Pairs& system) {
  const auto now = now_microseconds();
  // Asked again: another process may have resumed the run since it was opened here.
  auto& latest = database_.cached("SELECT attempt FROM run WHERE id=?");
  latest.start(run_);
  attempt_ = latest.integer(0) + 1;
  latest.reset();
  // Every older attempt, not the last one alone: a resume may go back beyond where that one began.
  database_
      .cached(
          "UPDATE attempt SET end_epoch=?2, end_samples=?3, end_step=?4 "
          "WHERE run=?1 AND (end_step IS NULL OR end_step > ?4)")
      .run(run_, cursor.epoch, cursor.samples, cursor.step);
  database_
      .cached(
          "UPDATE attempt SET ended=coalesce(ended, max(started, ?2)), "
          "status=CASE status WHEN 'running' THEN 'ended' ELSE status END WHERE run=?1")
      .run(run_, now);
  database_
      .cached(
          "UPDATE run SET attempt=?2, status='running', ended=NULL, exit_reason='', "
          "updated=max(updated, ?3) "
          "WHERE id=?1")
      .run(run_, attempt_, now);
  insert_attempt(cursor, system);

  std::vector<std::int64_t> keys;
  auto& known = database_.cached("SELECT key FROM metric_summary WHERE run=?");
  for (bool more = known.start(run_); more; more = known.step()) keys.push_back(known.integer(0));
  known.reset();
  for (const auto key : keys) {
    summarise_again(key);
    delete_buckets_from(database_, run_, key, cursor.step + 1);
  }
  levels_.clear();
}

void RunStore::event(const EventEntry& event) {
  database_.cached("INSERT INTO event (run, attempt, time, level, message) VALUES (?,?,?,?,?)")
      .run(run_, attempt_, event.time, name_of(event.level), event.message);
}

void RunStore::stamp(const std::string& stamp, const std::string& detail) {
  database_
      .cached(
          "INSERT INTO run_stamp (run, stamp, detail, time) VALUES (?,?,?,?) "
          "ON CONFLICT DO UPDATE SET detail=excluded.detail")
      .run(run_, stamp, detail, now_microseconds());
}

void RunStore::param(const Param& param) {
  auto& statement = database_.cached(param_sql);
  statement.bind(1, run_).bind(2, param.key).bind(3, type_of(param)).bind(5, param.origin);
  std::visit([&](const auto& value) { statement.bind(4, value); }, param.value);
  statement.step();
  statement.reset();
}

void RunStore::touch() {
  database_.cached("UPDATE run SET updated=max(updated, ?) WHERE id=?")
      .run(now_microseconds(), run_);
}

void RunStore::finish(Status status, const std::string& exit_reason) {
  const auto now = now_microseconds();
  database_
      .cached(
          "UPDATE run SET status=?, ended=max(updated, ?), updated=max(updated, ?), exit_reason=? "
          "WHERE id=?")
      .run(name_of(status), now, now, exit_reason, run_);
  database_
      .cached(
          "UPDATE attempt SET status=?, ended=max(started, ?), exit_reason=? WHERE run=? AND "
          "number=?")
      .run(name_of(status), now, exit_reason, run_, attempt_);
}

std::string RunStore::relative(const fs::path& path) const {
  const fs::path folder = database_.path().parent_path();
  const fs::path inside =
      (path.is_absolute() ? path.lexically_relative(folder) : path).lexically_normal();
  if (inside.empty() || *inside.begin() == ".." || inside.is_absolute())
    throw Error(ExitCode::other,
                {"the tracker keeps only files beneath its own folder", printable(path.string()),
                 "put the file below " + printable(folder.string())});
  return inside.generic_string();
}

}  // namespace bcx::tracker
