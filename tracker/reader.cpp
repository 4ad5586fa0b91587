#include "tracker/reader.h"

#include <fmt/format.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "tracker/filter_sql.h"
#include "tracker/host.h"
#include "tracker/reader_impl.h"
#include "tracker/run_store.h"
#include "tracker/schema.h"

namespace bcx::tracker {
namespace {

Cursor cursor_at(const Statement& row, int first) {
  return {row.integer(first), row.integer(first + 1), row.integer(first + 2)};
}

}  // namespace

bool lower_is_better(std::string_view metric) {
  if (metric.starts_with("time.") || metric.starts_with("memory.")) return true;
  const auto last = lower(metric.substr(metric.rfind('.') + 1));
  for (const char* word : {"loss", "brier", "ece", "error", "nll"})
    if (last.find(word) != std::string::npos) return true;
  return false;
}

std::filesystem::path default_database() {
  const char* told = std::getenv("BCX_TRACKER");
  return told && *told ? std::filesystem::path(told) : std::filesystem::path("runs/bcx.db");
}

Reader::Reader(const std::filesystem::path& database)
    : impl_(std::make_unique<Impl>(Impl{open_for_reading(database)})) {}
Reader::~Reader() = default;

const std::filesystem::path& Reader::path() const {
  return impl_->database.path();
}
std::filesystem::path Reader::folder() const {
  return path().parent_path();
}
int Reader::schema_version() const {
  return static_cast<int>(impl_->database.pragma("user_version"));
}

std::int64_t Reader::run_count() const {
  auto& count = impl_->database.cached("SELECT count(*) FROM run WHERE trashed IS NULL");
  count.step();
  const auto runs = count.integer(0);
  count.reset();
  return runs;
}

RunList Reader::list(const RunQuery& query) const {
  const auto known = known_keys(impl_->database);
  NotRunning gone;
  SqlCondition where;
  std::optional<Filter> filter;
  if (!query.filter.empty()) filter = parse_filter(query.filter);
  if ((filter && asks_for_life(*filter)) || sorts_by_life(query.sort))
    gone = not_running(impl_->database);
  if (filter) where = filter_sql(*filter, known, gone, now_microseconds());
  auto list = list_runs(impl_->database, query, known, gone, where);
  check_alive(impl_->database, list.runs);
  return list;
}

RunShown Reader::run(std::string_view id) const {
  auto runs = read_run(impl_->database, impl_->row(id));
  if (runs.empty()) impl_->no_such_run(id);
  check_alive(impl_->database, runs);
  return std::move(runs.front());
}

Key Reader::key(std::string_view word) const {
  return resolve_term(known_keys(impl_->database), word);
}

std::vector<std::string> Reader::metric_keys(std::string_view run) const {
  std::vector<std::string> keys;
  impl_->each(
      "SELECT k.name FROM metric_summary s JOIN metric_key k ON k.id=s.key WHERE s.run=? "
      "ORDER BY k.name",
      run, [&](const Statement& row) { keys.push_back(row.text(0)); });
  return keys;
}

std::vector<Point> Reader::series(std::string_view run, std::string_view metric) const {
  auto& key = impl_->database.cached("SELECT id FROM metric_key WHERE name=?");
  const bool found = key.start(metric);
  const auto id = found ? key.integer(0) : 0;
  key.reset();
  return valid_series(impl_->database, impl_->row(run), id);
}

std::vector<EventShown> Reader::events(std::string_view run) const {
  std::vector<EventShown> events;
  impl_->each("SELECT time, attempt, level, message FROM event WHERE run=? ORDER BY id", run,
              [&](const Statement& row) {
                events.push_back({row.integer(0), row.integer(1), row.text(2), row.text(3)});
              });
  return events;
}

std::vector<AttemptShown> Reader::attempts(std::string_view run) const {
  std::vector<AttemptShown> attempts;
  impl_->each(
      "SELECT number, started, ended, first_epoch, first_samples, first_step, end_step, status, "
      "exit_reason, host, pid FROM attempt WHERE run=? ORDER BY number",
      run, [&](const Statement& row) {
        attempts.push_back({row.integer(0), row.integer(1), row.maybe_integer(2), cursor_at(row, 3),
                            row.maybe_integer(6), row.text(7), row.text(8), row.text(9),
                            row.integer(10)});
      });
  return attempts;
}

std::vector<CheckpointShown> Reader::checkpoints(std::string_view run) const {
  std::vector<CheckpointShown> checkpoints;
  impl_->each(
      "SELECT epoch, samples, step, path, tag, bytes, sha256, metric, value, time, kept "
      "FROM checkpoint WHERE run=? ORDER BY id",
      run, [&](const Statement& row) {
        CheckpointShown one;
        one.row = {cursor_at(row, 0), row.text(3), row.text(4),      row.integer(5),
                   row.text(6),       row.text(7), row.maybe_real(8)};
        one.time = row.integer(9);
        one.kept = row.integer(10) != 0;
        checkpoints.push_back(std::move(one));
      });
  return checkpoints;
}

std::vector<PluginRow> Reader::plugins(std::string_view run) const {
  std::vector<PluginRow> plugins;
  impl_->each(
      "SELECT name, kind, version, build_id, file FROM plugin WHERE run=? ORDER BY kind, name", run,
      [&](const Statement& row) {
        plugins.push_back({row.text(0), row.text(1), row.text(2), row.text(3), row.text(4)});
      });
  return plugins;
}

std::vector<ArtifactRow> Reader::artifacts(std::string_view run) const {
  std::vector<ArtifactRow> artifacts;
  impl_->each(
      "SELECT name, kind, path, bytes, sha256 FROM artifact WHERE run=? ORDER BY name", run,
      [&](const Statement& row) {
        artifacts.push_back({row.text(0), row.text(1), row.text(2), row.integer(3), row.text(4)});
      });
  return artifacts;
}

std::vector<std::pair<std::string, std::string>> Reader::system(std::string_view run) const {
  std::vector<std::pair<std::string, std::string>> facts;
  impl_->each(
      "SELECT key, value FROM system WHERE run=?1 AND "
      "attempt=(SELECT max(attempt) FROM system WHERE run=?1) ORDER BY key",
      run, [&](const Statement& row) { facts.emplace_back(row.text(0), row.text(1)); });
  return facts;
}

std::pair<std::string, std::string> Reader::config(std::string_view run) const {
  std::pair<std::string, std::string> texts;
  impl_->each("SELECT config_source, config_resolved FROM run WHERE id=?", run,
              [&](const Statement& row) {
                texts = {row.text(0), row.text(1)};
              });
  return texts;
}

}  // namespace bcx::tracker
