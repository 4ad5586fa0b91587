// RunStore's metrics: rows, and the summary that lists of runs are made from.
#include <cmath>

#include "tracker/host.h"
#include "tracker/run_store.h"
#include "tracker/store_levels.h"

namespace bcx::tracker {

void add_to(MetricSummary& summary, const Point& point) {
  ++summary.count;
  summary.last = point.value;
  summary.last_step = point.step;
  summary.last_epoch = point.epoch;
  if (std::isnan(point.value)) {
    ++summary.nan_count;
    return;
  }
  if (!summary.min || point.value < *summary.min) {
    summary.min = point.value;
    summary.min_step = point.step;
  }
  if (!summary.max || point.value > *summary.max) {
    summary.max = point.value;
    summary.max_step = point.step;
  }
}

std::vector<Point> valid_series(const Database& database, std::int64_t run, std::int64_t key,
                                std::int64_t after) {
  std::map<std::int64_t, std::optional<std::int64_t>> ends;
  auto& attempts = database.cached("SELECT number, end_step FROM attempt WHERE run=?");
  for (bool more = attempts.start(run); more; more = attempts.step())
    ends[attempts.integer(0)] = attempts.maybe_integer(1);
  attempts.reset();

  std::vector<Point> points;
  auto& rows = database.cached(
      "SELECT step, attempt, epoch, value, time FROM metric WHERE run=? AND key=? AND step>? "
      "ORDER BY step, attempt");
  for (bool more = rows.start(run, key, after); more; more = rows.step()) {
    const auto step = rows.integer(0);
    const auto& end = ends[rows.integer(1)];
    if (end && step > *end) continue;
    if (!points.empty() && points.back().step == step) points.pop_back();
    points.push_back({step, rows.real(2), rows.real(3), rows.integer(4)});
  }
  rows.reset();
  return points;
}

std::int64_t RunStore::metric_key(std::uint32_t name, const std::vector<std::string>& names) {
  if (name >= keys_.size()) keys_.resize(name + 1, 0);
  if (keys_[name] != 0) return keys_[name];
  database_
      .cached("INSERT INTO metric_key (name, lower_is_better) VALUES (?,?) ON CONFLICT DO NOTHING")
      .run(names[name], lower_is_better(names[name]));
  auto& find = database_.cached("SELECT id FROM metric_key WHERE name=?");
  find.start(names[name]);
  const auto key = find.integer(0);
  find.reset();
  return keys_[name] = key;
}

MetricSummary& RunStore::summary(std::int64_t key) {
  auto found = summaries_.find(key);
  return found != summaries_.end() ? found->second : summaries_[key];
}

void RunStore::save_summary(std::int64_t key, const MetricSummary& summary) {
  if (summary.count == 0) {
    database_.cached("DELETE FROM metric_summary WHERE run=? AND key=?").run(run_, key);
    return;
  }
  database_
      .cached(
          "INSERT OR REPLACE INTO metric_summary (run, key, count, nan_count, last, last_step, "
          "last_epoch, min, min_step, max, max_step) VALUES (?,?,?,?,?,?,?,?,?,?,?)")
      .run(run_, key, summary.count, summary.nan_count, summary.last, summary.last_step,
           summary.last_epoch, summary.min, summary.min_step, summary.max, summary.max_step);
}

void RunStore::summarise_again(std::int64_t key) {
  MetricSummary fresh;
  for (const auto& point : valid_series(database_, run_, key)) add_to(fresh, point);
  summaries_[key] = fresh;
  save_summary(key, fresh);
}

Levels& RunStore::levels(std::int64_t key) {
  const auto found = levels_.find(key);
  if (found != levels_.end()) return found->second;
  return levels_.emplace(key, load_levels(database_, run_, key)).first->second;
}

std::set<std::uint32_t> RunStore::metrics(std::span<const MetricEntry> entries,
                                          const std::vector<std::string>& names) {
  std::set<std::uint32_t> repeated;
  std::set<std::int64_t> touched, overwritten;
  std::map<std::int64_t, std::int64_t> level_again;  // key → from this step
  const auto add_to_levels = [this](std::int64_t key, Levels& levels, const Point& point) {
    levels.add(point, [&](int level, const Bucket& bucket) {
      insert_bucket(database_, run_, key, level, bucket);
    });
  };
  auto& insert = database_.cached(
      "INSERT INTO metric (run, key, step, attempt, epoch, value, time) VALUES (?,?,?,?,?,?,?) "
      "ON CONFLICT DO NOTHING");
  for (const auto& entry : entries) {
    const auto key = metric_key(entry.name, names);
    auto& curve = levels(key);  // before the row is there: it may be made from the rows
    insert.run(run_, key, entry.step, attempt_, entry.epoch, entry.value, entry.time);
    if (database_.changes() == 0) {
      repeated.insert(entry.name);
      continue;
    }
    // At the very step that this attempt began from an older attempt's row may now be hidden.
    if (attempt_ > 1 && entry.step <= first_step_) overwritten.insert(key);
    const Point point{entry.step, entry.epoch, entry.value, entry.time};
    if (entry.step > curve.last_step() && level_again.count(key) == 0) {
      add_to_levels(key, curve, point);
    } else {
      const auto from = level_again.emplace(key, entry.step).first;
      from->second = std::min(from->second, entry.step);
    }
    add_to(summary(key), point);
    touched.insert(key);
  }
  for (const auto key : touched) save_summary(key, summaries_[key]);
  for (const auto key : overwritten) summarise_again(key);
  for (const auto& [key, step] : level_again) {
    delete_buckets_from(database_, run_, key, step);
    levels_[key] = load_levels(database_, run_, key);
  }
  return repeated;
}

}  // namespace bcx::tracker
