#include "tracker/store_levels.h"

#include "tracker/reader_impl.h"
#include "tracker/run_store.h"

namespace bcx::tracker {
namespace {

Bucket bucket_at(const Statement& row) {
  Bucket bucket;
  bucket.first_step = row.integer(0);
  bucket.last_step = row.integer(1);
  bucket.count = row.integer(2);
  bucket.nan_count = row.integer(3);
  bucket.infinite_count = row.integer(4);
  if (!row.is_null(5))
    bucket.finite =
        FiniteValues{row.real(5), row.real(6), row.real(7), row.integer(8), row.integer(9)};
  bucket.first_epoch = row.real(10);
  bucket.last_epoch = row.real(11);
  bucket.first_time = row.integer(12);
  bucket.last_time = row.integer(13);
  return bucket;
}

}  // namespace

void read_levels(const Database& database, std::int64_t run, std::int64_t key, int level,
                 const std::function<void(int level, const Bucket& bucket)>& take) {
  auto covered = std::numeric_limits<std::int64_t>::min();
  for (; level > 0; --level) {
    auto& rows = database.cached(
        "SELECT first_step, last_step, count, nan_count, infinite_count, min, max, mean, min_step, "
        "max_step, first_epoch, last_epoch, first_time, last_time FROM metric_bucket "
        "WHERE run=? AND key=? AND level=? AND first_step>? ORDER BY first_step");
    for (bool more = rows.start(run, key, level, covered); more; more = rows.step()) {
      const auto bucket = bucket_at(rows);
      covered = bucket.last_step;
      take(level, bucket);
    }
    rows.reset();
  }
  for (const auto& point : valid_series(database, run, key, covered)) take(0, bucket_of(point));
}

Levels load_levels(const Database& database, std::int64_t run, std::int64_t key) {
  Levels levels;
  read_levels(database, run, key, level_count, [&](int level, const Bucket& bucket) {
    levels.add(level, bucket, [&](int full_level, const Bucket& full) {
      insert_bucket(database, run, key, full_level, full);
    });
  });
  return levels;
}

void insert_bucket(const Database& database, std::int64_t run, std::int64_t key, int level,
                   const Bucket& bucket) {
  auto& insert = database.cached(
      "INSERT INTO metric_bucket (run, key, level, first_step, last_step, count, nan_count, "
      "infinite_count, first_epoch, last_epoch, first_time, last_time, min, max, mean, min_step, "
      "max_step) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
  insert.bind(1, run).bind(2, key).bind(3, level).bind(4, bucket.first_step);
  insert.bind(5, bucket.last_step).bind(6, bucket.count).bind(7, bucket.nan_count);
  insert.bind(8, bucket.infinite_count).bind(9, bucket.first_epoch).bind(10, bucket.last_epoch);
  insert.bind(11, bucket.first_time).bind(12, bucket.last_time);
  for (int at = 13; at <= 17; ++at) insert.bind(at, nullptr);
  if (bucket.finite) {
    insert.bind(13, bucket.finite->min).bind(14, bucket.finite->max).bind(15, bucket.finite->mean);
    insert.bind(16, bucket.finite->min_step).bind(17, bucket.finite->max_step);
  }
  insert.step();
  insert.reset();
}

void delete_buckets_from(const Database& database, std::int64_t run, std::int64_t key,
                         std::int64_t step) {
  database.cached("DELETE FROM metric_bucket WHERE run=? AND key=? AND last_step>=?")
      .run(run, key, step);
}

std::vector<Bucket> Reader::overview(std::string_view run, std::string_view metric,
                                     std::int64_t at_most) const {
  const auto& database = impl_->database;
  // One snapshot for all queries: a writer may complete a bucket between two of them.
  const Snapshot snapshot(database);
  const auto row = impl_->row(run);
  auto& summary = database.cached(
      "SELECT s.key, s.count FROM metric_summary s JOIN metric_key k ON k.id=s.key "
      "WHERE s.run=? AND k.name=?");
  const bool found = summary.start(row, metric);
  const auto key = found ? summary.integer(0) : 0, count = found ? summary.integer(1) : 0;
  summary.reset();
  int level = 0;
  while (level < level_count && count / points_of_level(level) > at_most) ++level;
  if (schema_version() < 2) level = 0;
  std::vector<Bucket> buckets;
  read_levels(database, row, key, level,
              [&](int, const Bucket& bucket) { buckets.push_back(bucket); });
  return buckets;
}

}  // namespace bcx::tracker
