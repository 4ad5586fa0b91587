// The Reader's data sets, splits, evaluations, predictions and curves.
#include <cstring>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "tracker/reader_impl.h"

namespace bcx::tracker {
namespace {

/// A blob as numbers; one whose size does not fit is refused rather than guessed at.
template <typename T>
std::vector<T> numbers(const Statement& row, int column, std::int64_t count) {
  const auto bytes = row.blob(column);
  if (count < 0 || static_cast<std::uint64_t>(count) != bytes.size() / sizeof(T) ||
      bytes.size() % sizeof(T) != 0)
    throw Error(ExitCode::storage, {"a row of numbers has the wrong length", "tracker",
                                    "restore the database from a backup"});
  std::vector<T> out(static_cast<std::size_t>(count));
  if (!bytes.empty()) std::memcpy(out.data(), bytes.data(), bytes.size());
  return out;
}

std::vector<std::string> strings(const std::string& text) {
  std::vector<std::string> out;
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (json.is_array())
    for (const auto& one : json)
      if (one.is_string()) out.push_back(one.get<std::string>());
  return out;
}

std::vector<std::pair<std::string, std::string>> attributes(const std::string& text) {
  std::vector<std::pair<std::string, std::string>> out;
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (json.is_object())
    for (const auto& [name, value] : json.items())
      if (value.is_string()) out.emplace_back(name, value.get<std::string>());
  return out;
}

}  // namespace

// A split is shared by all runs of the same parts; classes, the positive one and the patient are
// the run's own data set's.
std::optional<SplitShown> Reader::split(std::string_view run) const {
  std::optional<SplitShown> shown;
  std::int64_t split = 0, dataset = 0;
  impl_->each(
      "SELECT s.id, d.id, s.hash, d.hash, s.method, s.by, s.fold, s.folds, s.audit, d.source, "
      "d.root, "
      "d.classes, d.positive, d.patient, d.samples FROM run r JOIN split s ON s.id=r.split "
      "JOIN dataset d ON d.id=coalesce(r.dataset, s.dataset) WHERE r.id=?",
      run, [&](const Statement& row) {
        shown.emplace();
        split = row.integer(0);
        dataset = row.integer(1);
        shown->row = {row.text(2),    row.text(3),    row.text(4), row.text(5),
                      row.integer(6), row.integer(7), row.text(8)};
        shown->dataset = {row.text(3),
                          row.text(9),
                          row.text(10),
                          strings(row.text(11)),
                          static_cast<int>(row.integer(12)),
                          row.text(13)};
        shown->samples = row.integer(14);
      });
  if (!shown) return shown;
  auto& parts = impl_->database.cached(
      "SELECT p.part, count(*), count(DISTINCT s.patient) FROM split_part p "
      "LEFT JOIN sample s ON s.dataset=?2 AND s.id=p.sample WHERE p.split=?1 GROUP BY p.part "
      "ORDER BY CASE p.part WHEN 'train' THEN 0 WHEN 'validation' THEN 1 WHEN 'test' THEN 2 ELSE 3 "
      "END");
  for (bool more = parts.start(split, dataset); more; more = parts.step())
    shown->parts.push_back({parts.text(0), {parts.integer(1), parts.integer(2)}});
  parts.reset();
  return shown;
}

std::vector<SplitSample> Reader::split_samples(std::string_view run) const {
  std::vector<SplitSample> shown;
  impl_->each(
      "SELECT s.id, s.name, p.part, s.attributes FROM run r JOIN split t ON t.id=r.split "
      "JOIN split_part p ON p.split=t.id JOIN sample s ON s.dataset=coalesce(r.dataset, t.dataset) "
      "AND s.id=p.sample "
      "WHERE r.id=? ORDER BY s.position",
      run, [&](const Statement& row) {
        SplitSample one{static_cast<std::uint64_t>(row.integer(0)), row.text(1), row.text(2), {}};
        const auto attributes = nlohmann::json::parse(row.text(3), nullptr, false);
        if (attributes.is_object())
          for (const auto& [name, value] : attributes.items())
            if (value.is_string()) one.attributes.emplace_back(name, value.get<std::string>());
        shown.push_back(std::move(one));
      });
  return shown;
}

std::vector<EvaluationShown> Reader::evaluations(std::string_view run) const {
  std::vector<EvaluationShown> shown;
  // A file that nobody has written to since has no such column yet.
  const std::string temperature = schema_version() < 4 ? "NULL" : "e.temperature";
  impl_->each(
      "SELECT e.id, e.time, e.count, e.look, e.epoch, e.samples, e.step, e.checkpoint, "
      "coalesce((SELECT d.hash FROM dataset d WHERE d.id=e.dataset), ''), e.part, e.purpose, "
      "e.tta, "
      "e.precision, e.threshold, e.threshold_value, " +
          temperature + " FROM v_evaluation e WHERE e.run=? ORDER BY e.id",
      run, [&](const Statement& row) {
        EvaluationShown one{row.integer(0), row.integer(1), row.integer(2), row.integer(3), {}};
        one.row.cursor = {row.integer(4), row.integer(5), row.integer(6)};
        one.row.checkpoint = row.text(7);
        one.row.dataset = row.text(8);
        one.row.part = row.text(9);
        one.row.purpose = row.text(10);
        one.row.tta = row.integer(11);
        one.row.precision = row.text(12);
        one.row.threshold = row.text(13);
        one.row.threshold_value = row.maybe_real(14);
        one.row.temperature = row.maybe_real(15);
        shown.push_back(std::move(one));
      });
  auto& metrics = impl_->database.cached(
      "SELECT key, value FROM evaluation_metric WHERE evaluation=? ORDER BY key");
  for (auto& one : shown) {
    for (bool more = metrics.start(one.id); more; more = metrics.step())
      one.row.metrics.emplace_back(metrics.text(0), metrics.real(1));
    metrics.reset();
  }
  return shown;
}

std::vector<PredictionShown> Reader::predictions(std::int64_t evaluation) const {
  std::vector<PredictionShown> shown;
  auto& rows = impl_->database.cached(
      "SELECT p.sample, s.name, s.patient, s.target, e.classes, p.logits, s.attributes FROM "
      "prediction p "
      "JOIN evaluation e ON e.id=p.evaluation "
      "LEFT JOIN sample s ON s.dataset=e.dataset AND s.id=p.sample WHERE p.evaluation=? "
      "ORDER BY s.position, p.sample");
  for (bool more = rows.start(evaluation); more; more = rows.step()) {
    PredictionShown one;
    one.sample = static_cast<std::uint64_t>(rows.integer(0));
    one.name = rows.text(1);
    one.group = rows.text(2);
    one.target = rows.is_null(3) ? -1 : static_cast<int>(rows.integer(3));
    one.logits = numbers<float>(rows, 5, rows.integer(4));
    one.attributes = attributes(rows.text(6));
    shown.push_back(std::move(one));
  }
  rows.reset();
  return shown;
}

std::vector<CurveRow> Reader::curves(std::string_view run) const {
  std::vector<CurveRow> shown;
  impl_->each(
      "SELECT kind, evaluation, x_name, y_name, count, points FROM curve WHERE run=? ORDER BY id",
      run, [&](const Statement& row) {
        const auto count = row.integer(4);
        const auto points = numbers<double>(row, 5, count < 0 || count > 1 << 30 ? -1 : 2 * count);
        CurveRow one{row.text(0), row.maybe_integer(1), row.text(2), row.text(3), {}, {}};
        one.x.assign(points.begin(), points.begin() + count);
        one.y.assign(points.begin() + count, points.end());
        shown.push_back(std::move(one));
      });
  return shown;
}

}  // namespace bcx::tracker
