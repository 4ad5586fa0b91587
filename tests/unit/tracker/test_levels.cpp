// Curves from levels: against brute force over the points, through resumes, rollbacks and NaN.
#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "description.h"
#include "tests/catch.h"
#include "tracker/levels.h"
#include "tracker/reader.h"
#include "tracker/run_writer.h"

using namespace bcx::tracker;
using bcx::test::description;
using bcx::test::TemporaryFolder;

namespace {

constexpr double inf = std::numeric_limits<double>::infinity();
constexpr double nan_value = std::numeric_limits<double>::quiet_NaN();

/// Whether `bucket` is what the points from `at` on say; moves `at` behind them.
void check_bucket(const Bucket& bucket, const std::vector<Point>& points, std::size_t& at) {
  REQUIRE(at + static_cast<std::size_t>(bucket.count) <= points.size());
  const auto end = at + static_cast<std::size_t>(bucket.count);
  std::int64_t nans = 0, infinities = 0;
  double sum = 0, size = 0, low = inf, high = -inf;
  std::int64_t low_step = 0, high_step = 0;
  bool good = bucket.first_step == points[at].step && bucket.last_step == points[end - 1].step &&
              bucket.first_time == points[at].time && bucket.last_time == points[end - 1].time &&
              bucket.first_epoch == points[at].epoch && bucket.last_epoch == points[end - 1].epoch;
  for (; at < end; ++at) {
    const double value = points[at].value;
    if (std::isnan(value)) ++nans;
    if (std::isinf(value)) ++infinities;
    if (!std::isfinite(value)) continue;
    sum += value;
    size += std::abs(value);
    if (value < low) low = value, low_step = points[at].step;
    if (value > high) high = value, high_step = points[at].step;
  }
  good = good && nans == bucket.nan_count && infinities == bucket.infinite_count;
  const auto finite = bucket.count - nans - infinities;
  good = good && bucket.finite.has_value() == (finite > 0);
  if (good && finite > 0) {
    const auto& told = *bucket.finite;
    good = told.min == low && told.max == high && told.min_step == low_step &&
           told.max_step == high_step &&
           std::abs(told.mean * static_cast<double>(finite) - sum) <= 1e-12 * size;
  }
  CHECK(good);
}

/// Every view of every size covers exactly the points of series().
void check_overviews(const Reader& reader, const std::string& run, const std::string& key) {
  const auto points = reader.series(run, key);
  for (const std::int64_t at_most : {1, 4, 16, 64, 300, 100'000'000}) {
    const auto buckets = reader.overview(run, key, at_most);
    std::size_t at = 0;
    for (const auto& bucket : buckets) check_bucket(bucket, points, at);
    CHECK(at == points.size());
    CHECK(std::ssize(buckets) <= at_most + 63 + 3 * level_count);
  }
}

struct Generator {
  std::mt19937_64 random{7};
  std::int64_t below(std::int64_t n) { return static_cast<std::int64_t>(random() % n); }
  double value() {
    const auto kind = below(40);
    if (kind == 0) return nan_value;
    if (kind == 1) return below(2) ? inf : -inf;
    if (kind == 2) return 1e6 * static_cast<double>(below(1000));
    return static_cast<double>(below(1'000'000)) / 1e6 - 0.5;
  }
};

}  // namespace

TEST_CASE("levels are what brute force makes of the points, through resumes and rollbacks") {
  Generator generator;
  for (int round = 0; round < 6; ++round) {
    TemporaryFolder folder;
    const auto path = folder / "bcx.db";
    auto writer = RunWriter::create(path, description("a"));
    const auto id = writer->id();
    std::int64_t step = 0;
    for (int part = 0; part < 5; ++part) {
      const auto key = writer->key("train.loss");
      const auto other = writer->key("val.auc");
      const auto count = generator.below(3000);
      for (std::int64_t i = 0; i < count; ++i) {
        step += 1 + generator.below(3);
        writer->metric(key, step, static_cast<double>(step) / 100, generator.value());
        if (generator.below(50) == 0) writer->metric(other, step, 0, generator.value());
      }
      writer->flush();
      check_overviews(Reader(path), id, "train.loss");
      const Cursor cursor{0, 0, generator.below(step + 2)};
      if (part % 2 == 0) {
        writer->rewind(cursor);
      } else {
        writer.reset();
        writer = RunWriter::resume(path, id, cursor);
      }
      step =
          std::max<std::int64_t>(0, cursor.step - generator.below(3));  // may repeat its last step
      const Reader reader(path);
      check_overviews(reader, id, "train.loss");
      check_overviews(reader, id, "val.auc");
    }
    writer->flush();
    check_overviews(Reader(path), id, "train.loss");
  }
}

TEST_CASE("points in any order of steps make the same levels") {
  Generator generator;
  std::vector<std::int64_t> steps(5000);
  for (std::size_t i = 0; i < steps.size(); ++i) steps[i] = static_cast<std::int64_t>(i);
  std::shuffle(steps.begin() + 1000, steps.end(), generator.random);
  TemporaryFolder folder;
  auto writer = RunWriter::create(folder / "bcx.db", description("a"));
  const auto key = writer->key("train.loss");
  for (std::size_t i = 0; i < steps.size(); ++i) {
    writer->metric(key, steps[i], 0, generator.value());
    if (i % 700 == 0) writer->flush();
  }
  writer->flush();
  check_overviews(Reader(folder / "bcx.db"), writer->id(), "train.loss");
}

TEST_CASE("a spike in 200,000 points is seen at its own step") {
  TemporaryFolder folder;
  auto writer = RunWriter::create(folder / "bcx.db", description("a"));
  const auto key = writer->key("train.loss");
  for (std::int64_t step = 1; step <= 200'000; ++step)
    writer->metric(key, step, 0, step == 123'457 ? 50.0 : 0.5);
  writer->flush();
  const auto buckets = Reader(folder / "bcx.db").overview(writer->id(), "train.loss", 100);
  CHECK(buckets.size() < 200);
  const auto spikes = std::count_if(buckets.begin(), buckets.end(), [](const Bucket& bucket) {
    return bucket.finite->max == 50.0 && bucket.finite->max_step == 123'457;
  });
  CHECK(spikes == 1);
}

TEST_CASE("a mean over the whole range of doubles stays finite") {
  auto bucket = bucket_of({1, 0, 1.7e308, 0});
  merge_into(bucket, bucket_of({2, 0, -1.7e308, 0}));
  merge_into(bucket, bucket_of({3, 0, 1.7e308, 0}));
  CHECK(bucket.finite->mean == Approx(1.7e308 / 3));
  CHECK(points_of_level(0) == 1);
  CHECK(points_of_level(1) == 64);
  CHECK(points_of_level(3) == 1024);
}
