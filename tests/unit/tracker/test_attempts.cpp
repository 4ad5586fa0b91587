// A run is a history of attempts: what a resume undid is hidden.
#include <sqlite3.h>

#include "base/error.h"
#include "description.h"
#include "tests/catch.h"
#include "tracker/reader.h"
#include "tracker/run_writer.h"
#include "tracker/schema.h"

using namespace bcx::tracker;
using bcx::test::description;
using bcx::test::TemporaryFolder;

namespace {

void write_steps(RunWriter& writer, std::int64_t first, std::int64_t last, double offset) {
  const auto key = writer.key("train.loss");
  for (auto step = first; step <= last; ++step)
    writer.metric(key, step, 0, static_cast<double>(step) + offset);
}

std::vector<double> values(const Reader& reader, const std::string& run, const char* key) {
  std::vector<double> out;
  for (const auto& point : reader.series(run, key)) out.push_back(point.value);
  return out;
}

/// The same series by the documented view.
std::vector<double> values_by_view(const std::filesystem::path& path, const std::string& run,
                                   const char* key) {
  auto database = open_for_reading(path);
  auto rows = database.prepare("SELECT value FROM v_metric WHERE run=? AND key=? ORDER BY step");
  std::vector<double> out;
  for (bool more = rows.start(run, key); more; more = rows.step()) out.push_back(rows.real(0));
  return out;
}

}  // namespace

TEST_CASE("rows beyond the checkpoint that a resume goes on from are hidden") {
  TemporaryFolder folder;
  const auto path = folder / "bcx.db";
  auto writer = RunWriter::create(path, description("a"));
  const auto id = writer->id();
  write_steps(*writer, 1, 6, 0.0);
  writer->finish(Status::stopped, "SIGTERM");
  writer.reset();

  writer = RunWriter::resume(path, id, {2, 0, 4});
  CHECK(writer->attempt() == 2);
  write_steps(*writer, 5, 7, 0.5);
  writer->flush();
  {
    const Reader reader(path);
    CHECK(values(reader, id, "train.loss") == std::vector<double>{1, 2, 3, 4, 5.5, 6.5, 7.5});
    CHECK(values_by_view(path, id, "train.loss") == values(reader, id, "train.loss"));
    const auto summary = reader.run(id).metrics.at("train.loss");
    CHECK(summary.count == 7);
    CHECK(*summary.max == 7.5);
    CHECK(reader.run(id).status == "running");
    CHECK(reader.attempts(id)[0].end_step == 4);
    CHECK(reader.attempts(id)[0].status == "stopped");
  }
  // A third attempt from before the second one: that one's checkpoint was unreadable, say.
  writer->finish(Status::failed, "checkpoint unreadable");
  writer.reset();
  writer = RunWriter::resume(path, id, {1, 0, 2});
  write_steps(*writer, 3, 3, 0.25);
  writer->finish(Status::finished, "");
  const Reader reader(path);
  CHECK(values(reader, id, "train.loss") == std::vector<double>{1, 2, 3.25});
  CHECK(values_by_view(path, id, "train.loss") == std::vector<double>{1, 2, 3.25});
  CHECK(reader.run(id).metrics.at("train.loss").count == 3);
  CHECK(*reader.run(id).metrics.at("train.loss").max == 3.25);
  CHECK(reader.run(id).attempts == 3);
  CHECK(reader.run(id).status == "finished");
}

TEST_CASE("of two attempts' rows for the checkpoint's own step the later one stands") {
  // A checkpoint after the epoch's last step, before its validation.
  TemporaryFolder folder;
  const auto path = folder / "bcx.db";
  auto writer = RunWriter::create(path, description("a"));
  const auto id = writer->id();
  writer->epoch_metrics(1, 10, {{"val.auc", 0.9}});
  writer.reset();
  writer = RunWriter::resume(path, id, {0, 160, 10});
  writer->epoch_metrics(1, 10, {{"val.auc", 0.8}});
  writer->epoch_metrics(2, 20, {{"val.auc", 0.85}});
  const Reader reader(path);
  CHECK(values(reader, id, "val.auc") == std::vector<double>{0.8, 0.85});
  CHECK(values_by_view(path, id, "val.auc") == std::vector<double>{0.8, 0.85});
  const auto summary = reader.run(id).metrics.at("val.auc");
  CHECK(summary.count == 2);
  CHECK(*summary.max == 0.85);
}

TEST_CASE("a rollback within the process begins a new attempt") {
  TemporaryFolder folder;
  const auto path = folder / "bcx.db";
  auto writer = RunWriter::create(path, description("a"));
  write_steps(*writer, 1, 5, 0.0);
  writer->rewind({0, 32, 2});
  CHECK(writer->attempt() == 2);
  write_steps(*writer, 3, 4, 0.5);
  writer->flush();
  CHECK(values(Reader(path), writer->id(), "train.loss") == std::vector<double>{1, 2, 3.5, 4.5});
}

TEST_CASE("evaluations that a resume undid are hidden") {
  TemporaryFolder folder;
  const auto path = folder / "bcx.db";
  auto writer = RunWriter::create(path, description("a"));
  const auto id = writer->id();
  EvaluationRow row;
  row.part = "validation";
  row.purpose = "epoch";
  const std::vector<std::uint64_t> samples{1, 2};
  const std::vector<float> logits{0.f, 1.f, 2.f, 3.f};
  row.cursor = {1, 0, 10};
  writer->evaluation(row, samples, logits);
  row.cursor = {2, 0, 20};
  writer->evaluation(row, samples, logits);
  writer.reset();
  writer = RunWriter::resume(path, id, {1, 0, 10});
  row.cursor = {2, 0, 20};
  writer->evaluation(row, samples, logits);
  const Reader reader(path);
  const auto shown = reader.evaluations(id);
  REQUIRE(shown.size() == 2);
  CHECK(shown[0].row.cursor.step == 10);
  CHECK(shown[1].id == 3);
  CHECK(shown[1].look == 3);  // it has been looked at three times all the same
}

TEST_CASE("a run that is alive cannot be resumed, nor one that is not there") {
  TemporaryFolder folder;
  const auto path = folder / "bcx.db";
  auto writer = RunWriter::create(path, description("a"));
  CHECK_THROWS_WITH(RunWriter::resume(path, writer->id(), {}),
                    (writer->folder() / "run.lock").string() +
                        ": a is still running; stop it first (`bcx show` says its process)");
  CHECK_THROWS_WITH(RunWriter::resume(path, "0000", {}),
                    path.string() + ": no run has the id \"0000\"; `bcx runs` lists them");
}

TEST_CASE("a run that another process has gone on with since it was looked at is left alone") {
  TemporaryFolder folder;
  const auto path = folder / "bcx.db";
  const auto id = RunWriter::create(path, description("a"))->id();
  const auto seen = Reader(path).run(id).attempts;
  CHECK(seen == 1);
  RunWriter::resume(path, id, {1, 0, 10}, {}, seen)->finish(Status::finished, "");
  CHECK_THROWS_WITH(RunWriter::resume(path, id, {1, 0, 10}, {}, seen),
                    "run a: another process has gone on with it since; see how far it is with "
                    "`bcx show`");
  const auto run = Reader(path).run(id);
  CHECK(run.status == "finished");
  CHECK(run.attempts == 2);
}

TEST_CASE("a run of another machine is unknown, not crashed") {
  TemporaryFolder folder;
  const auto path = folder / "bcx.db";
  std::string id;
  {
    auto writer = RunWriter::create(path, description("a"));
    id = writer->id();
  }
  const auto set = [&](const char* sql) { Database(path, Database::Mode::write).execute(sql); };
  CHECK(Reader(path).run(id).status == "crashed");
  set("UPDATE attempt SET host='node7'");  // a container on this kernel
  CHECK(Reader(path).run(id).status == "crashed");
  set("UPDATE attempt SET boot_id='another'");
  const auto run = Reader(path).run(id);
  CHECK(run.status == "unknown");
  CHECK(run.exit_reason == "on host node7: whether it still runs can be seen there alone");
  CHECK_FALSE(run.ended);
}

TEST_CASE("a clock that goes backwards does not end a run before it began") {
  TemporaryFolder folder;
  const auto path = folder / "bcx.db";
  auto writer = RunWriter::create(path, description("a"));
  const std::int64_t later = 4'000'000'000'000'000;
  Database(path, Database::Mode::write)
      .execute("UPDATE run SET started=4000000000000000, updated=4000000000000000");
  Database(path, Database::Mode::write).execute("UPDATE attempt SET started=4000000000000000");
  writer->epoch_metrics(1, 1, {{"val.auc", 0.5}});
  writer->finish(Status::finished, "");
  const Reader reader(path);
  CHECK(*reader.run(writer->id()).ended == later);
  CHECK(*reader.attempts(writer->id())[0].ended == later);
}
