// A run written and read back.
#include <cmath>
#include <limits>
#include <thread>

#include "base/error.h"
#include "description.h"
#include "tests/catch.h"
#include "tracker/reader.h"
#include "tracker/run_writer.h"

using namespace bcx::tracker;
using bcx::test::description;
using bcx::test::TemporaryFolder;

namespace {
const double not_a_number = std::numeric_limits<double>::quiet_NaN();
const double infinity = std::numeric_limits<double>::infinity();
}  // namespace

TEST_CASE("everything said about a run is there again, with its type") {
  TemporaryFolder folder;
  auto writer = RunWriter::create(folder / "bcx.db", description("densenet201"));
  writer->stamp("LEAKY", "image split");
  writer->stamp("LEAKY", "12 groups on both sides");
  writer->event(Level::warning, "plateau: learning_rate 2e-05");
  writer->flush();

  const Reader reader(folder / "bcx.db");
  auto run = reader.run(writer->id());
  CHECK(run.name == "densenet201");
  CHECK(run.short_id == writer->short_id());
  CHECK(run.status == "running");
  CHECK(run.seed == 42);
  CHECK(run.tags == std::vector<std::string>{"breakhis", "paper"});
  REQUIRE(run.stamps.size() == 1);
  CHECK(run.stamps[0].name == "LEAKY");
  CHECK(run.stamps[0].detail == "12 groups on both sides");
  CHECK(std::get<std::int64_t>(run.params.at("train.batch_size").value) == 16);
  CHECK(std::get<double>(run.params.at("optimizer.learning_rate").value) == 1e-4);
  CHECK(std::get<std::string>(run.params.at("optimizer.name").value) == "adam");
  CHECK(std::get<bool>(run.params.at("data.split.stratify").value) == true);
  CHECK(run.params.at("data.magnifications").list);
  CHECK(run.params.at("optimizer.name").origin == "densenet201.toml:11:3");
  CHECK(run.git_commit == "1e3a418");
  CHECK(reader.config(run.id).first == "[experiment]\nname = \"densenet201\"\n");
  REQUIRE(reader.plugins(run.id).size() == 1);
  CHECK(reader.plugins(run.id)[0].build_id == "b01d");
  CHECK(reader.system(run.id)[1].second == "2.11.0");
  REQUIRE(reader.events(run.id).size() == 1);
  CHECK(reader.events(run.id)[0].message == "plateau: learning_rate 2e-05");
  CHECK(std::filesystem::is_directory(writer->folder()));
  CHECK(writer->folder() == folder / ("densenet201-" + writer->short_id()));

  writer->finish(Status::finished, "");
  run = reader.run(writer->id());
  CHECK(run.status == "finished");
  CHECK(run.ended.has_value());
}

TEST_CASE("metrics come back in order, NaN and infinity with them") {
  TemporaryFolder folder;
  auto writer = RunWriter::create(folder / "bcx.db", description("a"));
  const auto loss = writer->key("train.loss");
  CHECK(loss == writer->key("train.loss"));
  const std::vector<double> values{0.7, not_a_number, 0.2, infinity, -0.5};
  for (std::size_t i = 0; i < values.size(); ++i)
    writer->metric(loss, static_cast<std::int64_t>(i) + 1, 0.1 * static_cast<double>(i), values[i]);
  writer->epoch_metrics(1, 5, {{"val.auc", 0.91}, {"val.loss", 0.4}});
  writer->finish(Status::finished, "");

  const Reader reader(folder / "bcx.db");
  const auto series = reader.series(writer->id(), "train.loss");
  REQUIRE(series.size() == 5);
  CHECK(series[0].value == 0.7);
  CHECK(std::isnan(series[1].value));
  CHECK(series[3].value == infinity);
  CHECK(series[4].step == 5);
  const auto run = reader.run(writer->id());
  const auto& summary = run.metrics.at("train.loss");
  CHECK(summary.count == 5);
  CHECK(summary.nan_count == 1);
  CHECK(summary.last == -0.5);
  CHECK(*summary.min == -0.5);
  CHECK(*summary.max == infinity);
  CHECK(summary.max_step == 4);
  CHECK(reader.metric_keys(writer->id()) ==
        std::vector<std::string>{"train.loss", "val.auc", "val.loss"});
}

TEST_CASE("threads that fill the ring several times over lose nothing") {
  TemporaryFolder folder;
  auto writer = RunWriter::create(folder / "bcx.db", description("busy"));
  constexpr int threads = 4, each = 20'000;  // more than the ring holds
  std::vector<std::thread> producers;
  for (int t = 0; t < threads; ++t)
    producers.emplace_back([&writer, t] {
      const auto key = writer->key("thread." + std::to_string(t));
      for (int i = 0; i < each; ++i) writer->metric(key, i, 0, i);
    });
  for (auto& producer : producers) producer.join();
  writer->flush();
  const Reader reader(folder / "bcx.db");
  const auto run = reader.run(writer->id());
  for (int t = 0; t < threads; ++t) {
    const auto& summary = run.metrics.at("thread." + std::to_string(t));
    CHECK(summary.count == each);
    CHECK(summary.last == each - 1);
  }
}

TEST_CASE("a second value for a step is left out, and said once") {
  TemporaryFolder folder;
  auto writer = RunWriter::create(folder / "bcx.db", description("a"));
  writer->epoch_metrics(1, 10, {{"val.auc", 0.5}});
  writer->epoch_metrics(1, 10, {{"val.auc", 0.9}});
  writer->epoch_metrics(1, 10, {{"val.auc", 0.8}});
  const Reader reader(folder / "bcx.db");
  CHECK(reader.series(writer->id(), "val.auc")[0].value == 0.5);
  CHECK(reader.run(writer->id()).metrics.at("val.auc").count == 1);
  const auto events = reader.events(writer->id());
  REQUIRE(events.size() == 1);
  CHECK(events[0].message == "metric val.auc was given twice for one step: the first value stays");
}

TEST_CASE("io runs in order, off the caller's thread, and its failure is thrown by flush") {
  TemporaryFolder folder;
  auto writer = RunWriter::create(folder / "bcx.db", description("a"));
  std::vector<int> order;
  std::thread::id where;
  for (int i = 0; i < 5; ++i)
    writer->io([&, i] {
      order.push_back(i);
      where = std::this_thread::get_id();
    });
  writer->flush();
  CHECK(order == std::vector<int>{0, 1, 2, 3, 4});
  CHECK(where != std::this_thread::get_id());
  writer->io([] { throw bcx::Error(bcx::ExitCode::storage, "no room for log.csv"); });
  CHECK_THROWS_WITH(writer->flush(), "no room for log.csv");
  writer->flush();  // said once
  writer->finish(Status::finished, "");
  CHECK_THROWS_WITH(writer->flush(), "the run has ended: nothing more can be written");
}

TEST_CASE("a metric's name is checked") {
  TemporaryFolder folder;
  auto writer = RunWriter::create(folder / "bcx.db", description("a"));
  CHECK_THROWS_WITH(writer->key("val auc\x1b[2J"),
                    "\"val auc\\x1b[2J\" cannot be a metric's name; letters, digits and "
                    "._-#/:@+%, at most 200 of them: \"val.auc\"");
  CHECK_THROWS(writer->key(""));
  CHECK_THROWS(writer->key(std::string(201, 'a')));
}

TEST_CASE("which metrics are better when small") {
  for (const char* name : {"val.loss", "test.log_loss", "val.brier", "test.ece", "time.epoch",
                           "memory.peak", "val.error_rate"})
    CHECK(lower_is_better(name));
  for (const char* name : {"val.auc", "test.patient.auc", "val.accuracy", "images_per_second",
                           "loss.accuracy", "val.recall"})
    CHECK_FALSE(lower_is_better(name));
}
