// An MLflow SQLite store: tables experiments, runs, params, metrics and tags, as MLflow's
// mlflow/store/tracking/dbmodels/models.py declares them (versions 1 to 3).
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "base/text.h"
#include "tracker/import.h"
#include "tracker/import_staging.h"

namespace bcx::tracker {
namespace {

void require_mlflow(const Database& store) {
  auto tables = store.prepare(
      "SELECT count(*) FROM sqlite_schema WHERE type='table' AND name IN "
      "('experiments', 'runs', 'params', 'metrics', 'tags')");
  tables.step();
  if (tables.integer(0) != 5)
    throw Error(ExitCode::data,
                {"this is no MLflow store: tables experiments, runs, params, metrics and tags are "
                 "wanted",
                 printable(store.path().string()),
                 "MLflow's file store (mlruns/) can be brought into one with MLflow itself"});
}

/// MLflow counts milliseconds; 0 for a time that no clock ever showed.
std::int64_t microseconds(std::int64_t milliseconds) {
  std::int64_t out = 0;
  return __builtin_mul_overflow(milliseconds, 1000, &out) ? 0 : out;
}

/// MLflow keeps parameters as text.
ParamValue typed(const std::string& text) {
  const auto word = lower(text);
  if (word == "true" || word == "false") return word == "true";
  const char* end = text.data() + text.size();
  std::int64_t whole = 0;
  if (const auto read = std::from_chars(text.data(), end, whole);
      read.ec == std::errc{} && read.ptr == end)
    return whole;
  double real = 0;
  if (const auto read = std::from_chars(text.data(), end, real);
      read.ec == std::errc{} && read.ptr == end)
    return real;
  return text;
}

/// 32 hex digits → a UUID; another kind of id gives one of its own.
std::string uuid_from(const std::string& id) {
  auto out = lower(id);
  if (out.size() != 32 || out.find_first_not_of("0123456789abcdef") != out.npos)
    return uuid_of("mlflow " + id);
  for (const int at : {8, 13, 18, 23}) out.insert(static_cast<std::size_t>(at), "-");
  return out;
}

void take_tags(const Database& store, const std::string& id, ImportedRun& run) {
  auto& rows = store.cached("SELECT key, value FROM tags WHERE run_uuid=? ORDER BY key");
  for (bool more = rows.start(id); more; more = rows.step()) {
    const auto key = rows.text(0), value = rows.text(1);
    if (key == "mlflow.note.content") run.description.notes = value;
    if (key == "mlflow.source.git.commit") run.description.git_commit = value;
    if (key == "mlflow.parentRunId") run.parent = uuid_from(value);
    if (key == "mlflow.runName" && run.description.name.empty()) run.description.name = value;
    if (key.starts_with("mlflow.")) continue;
    auto tag = value.empty() ? key : key + "=" + value;
    std::replace_if(
        tag.begin(), tag.end(), [](unsigned char c) { return c < 32 || c == 127 || c == ','; },
        ' ');
    run.description.tags.push_back(clip(tag, 50));
  }
  rows.reset();
}

void take_metrics(const Database& store, const std::string& id, ImportedRun& run) {
  auto& rows = store.cached(
      "SELECT key, step, value, is_nan, timestamp FROM metrics WHERE run_uuid=? "
      "ORDER BY key, step, timestamp");
  constexpr double largest = std::numeric_limits<double>::max();
  for (bool more = rows.start(id); more; more = rows.step()) {
    double value = rows.real(2);
    if (std::abs(value) >= largest)  // how MLflow stores infinity
      value = std::copysign(std::numeric_limits<double>::infinity(), value);
    if (rows.integer(3) != 0) value = std::numeric_limits<double>::quiet_NaN();
    const auto step = rows.integer(1);
    run.metrics[metric_name(rows.text(0))][step] = {step, std::nan(""), value,
                                                    microseconds(rows.integer(4))};
  }
  rows.reset();
}

void set_status(const std::string& status, ImportedRun& run) {
  if (status == "FAILED") run.status = Status::failed;
  if (status == "KILLED") run.status = Status::stopped;
  if (status != "RUNNING" && status != "SCHEDULED") return;
  run.status = Status::stopped;
  run.exit_reason = "MLflow called it " + lower(status) + " when it was imported";
}

}  // namespace

std::vector<Merged> import_mlflow(const std::filesystem::path& database,
                                  const std::filesystem::path& path) {
  if (!std::filesystem::is_regular_file(path))
    throw Error(ExitCode::data, {"there is no such file", printable(path.string()),
                                 "name the store's SQLite file: mlflow.db"});
  const Database store(path, Database::Mode::read);
  require_mlflow(store);
  Staging staging;
  // Parents have to come before their children: in the order of time they do.
  auto runs = store.prepare(
      "SELECT r.run_uuid, r.name, r.status, r.start_time, r.end_time, r.source_name, "
      "r.source_version, e.name FROM runs r LEFT JOIN experiments e "
      "ON e.experiment_id=r.experiment_id WHERE r.lifecycle_stage='active' ORDER BY r.start_time");
  for (bool more = runs.step(); more; more = runs.step()) {
    const auto id = runs.text(0);
    ImportedRun run;
    run.id = uuid_from(id);
    run.description.name = runs.text(1);
    run.description.experiment = runs.text(7);
    run.description.git_commit = runs.text(6);
    run.description.command = runs.text(5);
    run.description.version = "mlflow";
    run.started = microseconds(runs.integer(3));
    run.ended = microseconds(runs.integer(4));
    set_status(runs.text(2), run);
    take_tags(store, id, run);
    if (run.description.name.empty()) run.description.name = id.substr(0, 8);
    auto& params = store.cached("SELECT key, value FROM params WHERE run_uuid=? ORDER BY key");
    for (bool next = params.start(id); next; next = params.step())
      run.description.params.push_back({params.text(0), typed(params.text(1)), false, "mlflow"});
    params.reset();
    take_metrics(store, id, run);
    staging.add(run);
  }
  return staging.merge_into(database);
}

}  // namespace bcx::tracker
