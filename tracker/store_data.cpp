// RunStore's data sets, splits, checkpoints, evaluations, curves and artifacts.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "tracker/host.h"
#include "tracker/run_store.h"

namespace bcx::tracker {
namespace {

/// The row of `table` with that hash, 0 when there is none.
std::int64_t row_of_hash(Database& database, const char* table, const std::string& hash) {
  auto& statement = database.cached(fmt::format("SELECT id FROM {} WHERE hash=?", table));
  const auto row = statement.start(hash) ? statement.integer(0) : 0;
  statement.reset();
  return row;
}

[[noreturn]] void misused(std::string what) {
  throw Error(ExitCode::other, {std::move(what), "tracker", ""});
}

// JSON is UTF-8; what is not (file names may be anything) is replaced rather than thrown at.
std::string dump(const nlohmann::json& json) {
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string attributes_json(const SampleRow& sample) {
  auto json = nlohmann::json::object();
  for (const auto& [name, value] : sample.attributes) json[name] = value;
  return dump(json);
}

void insert_samples(Database& database, std::int64_t dataset, std::span<const SampleRow> samples) {
  auto& insert = database.cached(
      "INSERT INTO sample (dataset, id, position, name, target, patient, attributes) "
      "VALUES (?,?,?,?,?,?,?)");
  std::int64_t position = 0;
  for (const auto& sample : samples) {
    std::optional<std::string> patient;
    if (!sample.group.empty()) patient = sample.group;
    insert.run(dataset, static_cast<std::int64_t>(sample.id), position++, sample.name,
               sample.target, patient, attributes_json(sample));
  }
}

}  // namespace

void RunStore::dataset(const DatasetRow& row, std::span<const SampleRow> samples) {
  auto id = row_of_hash(database_, "dataset", row.hash);
  if (id == 0) {
    database_
        .cached(
            "INSERT INTO dataset (hash, source, root, classes, positive, patient, samples, "
            "created) VALUES (?,?,?,?,?,?,?,?)")
        .run(row.hash, row.source, row.root, dump(row.classes), row.positive, row.patient,
             static_cast<std::int64_t>(samples.size()), now_microseconds());
    id = database_.last_id();
    insert_samples(database_, id, samples);
  }
  database_.cached("UPDATE run SET dataset=? WHERE id=?").run(id, run_);
}

void RunStore::split(const SplitRow& row, std::span<const SplitMember> members) {
  auto id = row_of_hash(database_, "split", row.hash);
  if (id == 0) {
    const auto dataset = row_of_hash(database_, "dataset", row.dataset);
    if (dataset == 0) misused("the split's data set was not recorded");
    database_
        .cached(
            "INSERT INTO split (hash, dataset, method, by, fold, folds, audit, created) "
            "VALUES (?,?,?,?,?,?,?,?)")
        .run(row.hash, dataset, row.method, row.by, row.fold, row.folds, row.audit,
             now_microseconds());
    id = database_.last_id();
    auto& insert = database_.cached("INSERT INTO split_part (split, sample, part) VALUES (?,?,?)");
    for (const auto& member : members)
      insert.run(id, static_cast<std::int64_t>(member.sample), member.part);
  }
  database_.cached("UPDATE run SET split=? WHERE id=?").run(id, run_);
}

void RunStore::checkpoint(const CheckpointRow& row) {
  const auto path = relative(row.path);
  database_.cached("UPDATE checkpoint SET kept=0 WHERE run=? AND path=?").run(run_, path);
  database_
      .cached(
          "INSERT INTO checkpoint (run, attempt, time, epoch, samples, step, path, tag, bytes, "
          "sha256, metric, value, kept) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,1)")
      .run(run_, attempt_, now_microseconds(), row.cursor.epoch, row.cursor.samples,
           row.cursor.step, path, row.tag, row.bytes, row.sha256, row.metric, row.value);
}

void RunStore::checkpoint_removed(const std::filesystem::path& path) {
  database_.cached("UPDATE checkpoint SET kept=0 WHERE run=? AND path=?").run(run_, relative(path));
}

void RunStore::insert_evaluation(const EvaluationRow& row, std::int64_t count,
                                 std::int64_t classes) {
  auto& own = database_.cached("SELECT dataset, split FROM run WHERE id=?");
  own.start(run_);
  auto dataset = own.integer(0), split = own.integer(1);  // 0: none
  own.reset();
  if (!row.dataset.empty()) {
    const auto named = row_of_hash(database_, "dataset", row.dataset);
    if (named == 0) misused("the evaluation's data set was not recorded");
    // Another data set is not the run's split any more.
    if (named != dataset) split = 0;
    dataset = named;
  }
  auto& looks = database_.cached(
      "SELECT count(*) FROM evaluation WHERE part=?1 AND "
      "CASE WHEN ?2<>0 THEN split=?2 WHEN ?3<>0 THEN split IS NULL AND dataset=?3 "
      "ELSE run=?4 END");
  looks.start(row.part, split, dataset, run_);
  const auto look = looks.integer(0) + 1;
  looks.reset();
  database_
      .cached(
          "INSERT INTO evaluation (run, attempt, time, epoch, samples, step, checkpoint, dataset, "
          "split, part, purpose, tta, precision, threshold, threshold_value, look, count, "
          "classes, temperature) "
          "VALUES (?,?,?,?,?,?,?,nullif(?,0),nullif(?,0),?,?,?,?,?,?,?,?,?,?)")
      .run(run_, attempt_, now_microseconds(), row.cursor.epoch, row.cursor.samples,
           row.cursor.step, row.checkpoint.empty() ? "" : relative(row.checkpoint), dataset, split,
           row.part, row.purpose, row.tta, row.precision, row.threshold, row.threshold_value, look,
           count, classes, row.temperature);
}

std::int64_t RunStore::evaluation(const EvaluationRow& row, std::span<const std::uint64_t> samples,
                                  std::span<const float> logits) {
  const auto count = samples.size();
  if (count == 0 ? !logits.empty() : logits.size() % count != 0)
    misused(fmt::format("{} logits do not belong to {} samples", logits.size(), count));
  const auto classes = count == 0 ? 0 : logits.size() / count;
  insert_evaluation(row, static_cast<std::int64_t>(count), static_cast<std::int64_t>(classes));
  const auto id = database_.last_id();
  auto& insert =
      database_.cached("INSERT INTO prediction (evaluation, sample, logits) VALUES (?,?,?)");
  for (std::size_t i = 0; i < count; ++i)
    insert.run(id, static_cast<std::int64_t>(samples[i]),
               std::as_bytes(logits.subspan(i * classes, classes)));
  for (const auto& [key, value] : row.metrics)
    database_
        .cached("INSERT OR REPLACE INTO evaluation_metric (evaluation, key, value) VALUES (?,?,?)")
        .run(id, key, value);
  return id;
}

void RunStore::curve(const CurveRow& row) {
  if (row.x.size() != row.y.size()) misused("a curve's x and y differ in length");
  std::vector<double> points(row.x);
  points.insert(points.end(), row.y.begin(), row.y.end());
  database_
      .cached(
          "INSERT INTO curve (run, evaluation, attempt, time, kind, x_name, y_name, count, points) "
          "VALUES (?,?,?,?,?,?,?,?,?)")
      .run(run_, row.evaluation, attempt_, now_microseconds(), row.kind, row.x_name, row.y_name,
           static_cast<std::int64_t>(row.x.size()), std::as_bytes(std::span<const double>(points)));
}

void RunStore::artifact(const ArtifactRow& row) {
  for (const auto& part : bcx::split(row.name, '/'))
    if (!is_plain_component(part))
      misused(
          fmt::format("\"{}\" cannot be an artifact's name: letters, digits and ._- between "
                      "slashes, no part beginning with a dot or dash",
                      printable(row.name)));
  database_
      .cached(
          "INSERT OR REPLACE INTO artifact (run, name, kind, path, bytes, sha256, time) "
          "VALUES (?,?,?,?,?,?,?)")
      .run(run_, row.name, row.kind, relative(row.path), row.bytes, row.sha256, now_microseconds());
}

}  // namespace bcx::tracker
