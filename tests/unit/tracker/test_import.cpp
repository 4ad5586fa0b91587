// Runs of MLflow and TensorBoard.
#include <bit>
#include <cmath>
#include <cstring>
#include <fstream>

#include "base/error.h"
#include "base/paths.h"
#include "description.h"
#include "tests/catch.h"
#include "tracker/event_file.h"
#include "tracker/import.h"
#include "tracker/reader.h"
#include "tracker/run_writer.h"
#include "tracker/sqlite.h"

using namespace bcx::tracker;
using bcx::test::description;
using bcx::test::TemporaryFolder;
namespace fs = std::filesystem;

namespace {

/// The tables that are read, with the columns of MLflow's database models.
constexpr const char* mlflow_store = R"sql(
CREATE TABLE experiments (experiment_id INTEGER PRIMARY KEY, name VARCHAR(256) UNIQUE,
  artifact_location VARCHAR(256), lifecycle_stage VARCHAR(32), creation_time BIGINT,
  last_update_time BIGINT);
CREATE TABLE runs (run_uuid VARCHAR(32) PRIMARY KEY, name VARCHAR(250), source_type VARCHAR(20),
  source_name VARCHAR(500), entry_point_name VARCHAR(50), user_id VARCHAR(256), status VARCHAR(9),
  start_time BIGINT, end_time BIGINT, source_version VARCHAR(50), lifecycle_stage VARCHAR(20),
  artifact_uri VARCHAR(200), experiment_id INTEGER, deleted_time BIGINT);
CREATE TABLE params (key VARCHAR(250), value VARCHAR(8000), run_uuid VARCHAR(32),
  PRIMARY KEY (key, run_uuid));
CREATE TABLE metrics (key VARCHAR(250), value FLOAT, timestamp BIGINT, run_uuid VARCHAR(32),
  step BIGINT DEFAULT '0', is_nan BOOLEAN DEFAULT '0',
  PRIMARY KEY (key, timestamp, step, run_uuid, value, is_nan));
CREATE TABLE tags (key VARCHAR(250), value VARCHAR(8000), run_uuid VARCHAR(32),
  PRIMARY KEY (key, run_uuid));
INSERT INTO experiments VALUES (1, 'breast', 'x', 'active', 0, 0);
INSERT INTO runs VALUES ('0123456789abcdef0123456789abcdef', 'parent', 'LOCAL', 'train.py', '', 'me',
  'FINISHED', 1700000000000, 1700000060000, 'c0ffee', 'active', 'x', 1, NULL);
INSERT INTO runs VALUES ('1123456789abcdef0123456789abcdef', '', 'LOCAL', 'train.py', '', 'me',
  'RUNNING', 1700000100000, NULL, '', 'active', 'x', 1, NULL);
INSERT INTO runs VALUES ('2123456789abcdef0123456789abcdef', 'gone', 'LOCAL', 'train.py', '', 'me',
  'FINISHED', 1700000200000, 1700000260000, '', 'deleted', 'x', 1, 1);
INSERT INTO params VALUES ('lr', '0.001', '0123456789abcdef0123456789abcdef'),
  ('epochs', '10', '0123456789abcdef0123456789abcdef'),
  ('nesterov', 'True', '0123456789abcdef0123456789abcdef'),
  ('optimizer', 'sgd', '0123456789abcdef0123456789abcdef');
INSERT INTO metrics VALUES ('val auc', 0.5, 1700000010000, '0123456789abcdef0123456789abcdef', 1, 0),
  ('val auc', 0.75, 1700000020000, '0123456789abcdef0123456789abcdef', 2, 0),
  ('val auc', 0.8, 1700000021000, '0123456789abcdef0123456789abcdef', 2, 0),
  ('loss', 0, 1700000010000, '0123456789abcdef0123456789abcdef', 1, 1),
  ('loss', -1.7976931348623157e308, 1700000011000, '0123456789abcdef0123456789abcdef', 2, 0);
INSERT INTO tags VALUES ('mlflow.note.content', 'a note', '0123456789abcdef0123456789abcdef'),
  ('stage', 'final,one', '0123456789abcdef0123456789abcdef'),
  ('mlflow.parentRunId', '0123456789abcdef0123456789abcdef', '1123456789abcdef0123456789abcdef'),
  ('mlflow.runName', 'child', '1123456789abcdef0123456789abcdef');
)sql";

template <typename T>
std::string bytes_of(T value) {
  return std::string(reinterpret_cast<const char*>(&value), sizeof value);
}

std::string record(const std::string& data) {
  const auto length = bytes_of<std::uint64_t>(data.size());
  return length + bytes_of(masked_crc32c(length)) + data + bytes_of(masked_crc32c(data));
}

std::string part(char tag, const std::string& bytes) {
  return tag + std::string(1, static_cast<char>(bytes.size())) + bytes;
}

/// An event of step 7 whose only value has this tag and the field with this key.
std::string event(const std::string& tag, const std::string& value) {
  return "\x09" + bytes_of(1700000000.5) + "\x10\x07" +
         part('\x2A', part('\x0A', part('\x0A', tag) + value));
}

}  // namespace

TEST_CASE("MLflow: times that no clock shows") {
  TemporaryFolder folder;
  Database(folder / "mlflow.db", Database::Mode::write)
      .execute(std::string(mlflow_store) +
               "UPDATE runs SET start_time=9223372036854775807, end_time=-9223372036854775808;"
               "UPDATE metrics SET timestamp=9223372036854775807, step=-9223372036854775808");
  import_mlflow(folder / "bcx.db", folder / "mlflow.db");
  const Reader reader(folder / "bcx.db");
  CHECK(reader.run(reader.find("parent").id).started == 0);
}

TEST_CASE("runs of an MLflow store: typed, dated, and once only") {
  TemporaryFolder folder;
  Database(folder / "mlflow.db", Database::Mode::write).execute(mlflow_store);
  const auto path = folder / "runs/bcx.db";
  const auto merged = import_mlflow(path, folder / "mlflow.db");
  REQUIRE(merged.size() == 2);
  CHECK(merged[0].what == Merged::What::added);
  const Reader reader(path);
  const auto run = reader.run("01234567-89ab-cdef-0123-456789abcdef");
  CHECK(run.name == "parent");
  CHECK(run.experiment == "breast");
  CHECK(run.status == "finished");
  CHECK(run.started == 1700000000000000);
  CHECK(*run.ended == 1700000060000000);
  CHECK(run.git_commit == "c0ffee");
  CHECK(run.notes == "a note");
  CHECK(run.tags == std::vector<std::string>{"stage=final one"});
  CHECK(run.params.at("lr").value == ParamValue(0.001));
  CHECK(run.params.at("epochs").value == ParamValue(std::int64_t{10}));
  CHECK(run.params.at("nesterov").value == ParamValue(true));
  CHECK(run.params.at("optimizer").value == ParamValue(std::string("sgd")));
  const auto auc = reader.series(run.id, "val_auc");
  REQUIRE(auc.size() == 2);
  CHECK(auc[1].value == 0.8);
  CHECK(auc[1].time == 1700000021000000);
  const auto loss = reader.series(run.id, "loss");
  REQUIRE(loss.size() == 2);
  CHECK(std::isnan(loss[0].value));
  CHECK(loss[1].value == -std::numeric_limits<double>::infinity());
  const auto child = reader.run(reader.find("child").id);
  CHECK(child.parent == run.id);
  CHECK(child.status == "stopped");
  CHECK(child.exit_reason == "MLflow called it running when it was imported");
  for (const auto& one : import_mlflow(path, folder / "mlflow.db"))
    CHECK(one.what == Merged::What::same);
  Database(folder / "other.db", Database::Mode::write).execute("CREATE TABLE runs(a)");
  CHECK_THROWS_WITH(import_mlflow(path, folder / "other.db"),
                    (folder / "other.db").string() +
                        ": this is no MLflow store: tables experiments, runs, params, metrics and "
                        "tags are wanted; MLflow's file store (mlruns/) can be brought into one "
                        "with MLflow itself");
}

TEST_CASE("CRC-32C as RFC 3720 has it") {
  CHECK(crc32c(std::string(32, '\0')) == 0x8A9136AAu);
  CHECK(crc32c(std::string(32, '\xFF')) == 0x62A8AB43u);
  CHECK(crc32c("123456789") == 0xE3069283u);
}

TEST_CASE("scalars of every kind are read, other summaries passed over") {
  TemporaryFolder folder;
  const auto path = folder / "events.out.tfevents.1";
  const auto tensor = [](const std::string& body) { return part('\x42', body); };
  std::ofstream(path, std::ios::binary)
      << record("\x09" + bytes_of(1.0) + part('\x1A', "brain.Event:2"))
      << record(event("simple", "\x15" + bytes_of(0.5f)))
      << record(event("float", tensor("\x08\x01" + part('\x22', bytes_of(0.25f)))))
      << record(event("packed", tensor("\x08\x01" + part('\x2A', bytes_of(0.75f)))))
      << record(event("double", tensor("\x08\x02\x31" + bytes_of(1e-3))))
      << record(event("int64", tensor("\x08\x09" + part('\x52', "\xAC\x02"))))
      << record(event("text", tensor("\x08\x07" + part('\x42', "hello"))))
      << record(event("vector", tensor("\x08\x01" + part('\x22', std::string(8, '\0')))));
  const auto file = read_event_file(path);
  REQUIRE(file.scalars.size() == 5);
  const std::vector<std::pair<std::string, double>> expected{
      {"simple", 0.5}, {"float", 0.25}, {"packed", 0.75}, {"double", 1e-3}, {"int64", 300}};
  for (std::size_t i = 0; i < expected.size(); ++i) {
    CHECK(file.scalars[i].tag == expected[i].first);
    CHECK(file.scalars[i].value == expected[i].second);
    CHECK(file.scalars[i].step == 7);
    CHECK(file.scalars[i].wall_time == 1700000000.5);
  }
  CHECK_FALSE(file.cut_short);
}

TEST_CASE("runs go to TensorBoard and back") {
  TemporaryFolder folder;
  const auto path = folder / "a/bcx.db";
  auto writer = RunWriter::create(path, description("densenet"));
  const auto key = writer->key("train.loss");
  for (int step = 1; step <= 50; ++step) writer->metric(key, step, 0, 1.0 / step);
  writer->epoch_metrics(1, 50, {{"val.auc", 0.5}, {"val.loss", std::nan("")}});
  writer->finish(Status::finished, "");
  export_tensorboard(path, {writer->id()}, folder / "logs");
  CHECK_THROWS(export_tensorboard(path, {writer->id()}, folder / "logs"));
  const auto merged = import_tensorboard(folder / "b/bcx.db", folder / "logs");
  REQUIRE(merged.size() == 1);
  CHECK(merged[0].name == "densenet-" + writer->short_id());
  const Reader before(path), after(folder / "b/bcx.db");
  for (const char* name : {"train.loss", "val.auc", "val.loss"}) {
    const auto old = before.series(writer->id(), name), now = after.series(merged[0].id, name);
    REQUIRE(old.size() == now.size());
    for (std::size_t i = 0; i < old.size(); ++i) {
      CHECK(now[i].step == old[i].step);
      CHECK(std::abs(static_cast<double>(now[i].time - old[i].time)) <= 1);
      const auto value = static_cast<float>(old[i].value);
      CHECK((std::isnan(value) ? std::isnan(now[i].value) : now[i].value == value));
    }
  }
  CHECK(import_tensorboard(folder / "b/bcx.db", folder / "logs")[0].what == Merged::What::same);
}

TEST_CASE("damaged and cut event files") {
  TemporaryFolder folder;
  const auto path = folder / "events.out.tfevents.1";
  write_event_file(path, {{"a", 1, 0.5, 1700000000.0}, {"a", 2, 0.25, 1700000001.0}});
  const auto whole = bcx::read_text(path, 1 << 20, bcx::ExitCode::other);
  // Every byte counts: a change is always seen, whatever it does to lengths and messages.
  for (std::size_t at = 0; at < whole.size(); ++at) {
    auto changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ 0x20);
    std::ofstream(path, std::ios::binary) << changed;
    CHECK_THROWS(read_event_file(path));
  }
  for (std::size_t size = 0; size < whole.size(); ++size) {
    std::ofstream(path, std::ios::binary) << whole.substr(0, size);
    CHECK(read_event_file(path).scalars.size() <= 2);
  }
  std::ofstream(path, std::ios::binary) << record("\xFF\xFF\xFF");
  CHECK_THROWS_WITH(read_event_file(path),
                    path.string() +
                        ": this event file is damaged at byte 0: a record is no event; copy it "
                        "again, or leave it out");
  std::ofstream(path, std::ios::binary) << whole.substr(0, whole.size() - 3);
  import_tensorboard(folder / "bcx.db", path);
  const Reader reader(folder / "bcx.db");
  const auto run = reader.run(reader.find("@last").id);
  CHECK(run.status == "stopped");
  CHECK(run.metrics.at("a").count == 1);
  CHECK_THROWS_WITH(import_tensorboard(folder / "bcx.db", folder / "none"),
                    (folder / "none").string() +
                        ": there is no event file (*tfevents*) here; name a log folder of "
                        "TensorBoard's");
}
