// A file of every earlier schema version (fixtures/version-N.sql) opens, as it is and migrated.
#include "base/paths.h"
#include "description.h"
#include "tests/catch.h"
#include "tracker/reader.h"
#include "tracker/run_writer.h"
#include "tracker/schema.h"

using namespace bcx::tracker;
using bcx::test::description;
using bcx::test::TemporaryFolder;

namespace {

void make_from_fixture(const std::filesystem::path& path, int version) {
  const auto sql = bcx::read_text(bcx::test::source_dir() / "tests/unit/tracker/fixtures" /
                                      ("version-" + std::to_string(version) + ".sql"),
                                  1 << 20, bcx::ExitCode::other);
  Database(path, Database::Mode::write).execute(sql);
}

void check_content(const Reader& reader) {
  REQUIRE(reader.run_count() == 2);
  const auto run = reader.run(reader.find("densenet201").id);
  CHECK(run.status == "finished");
  CHECK(run.attempts == 2);
  CHECK(run.params.at("train.batch_size").value == ParamValue(std::int64_t{16}));
  CHECK(*run.metrics.at("val.auc").max == 0.9);
  const auto loss = reader.series(run.id, "train.loss");
  REQUIRE(loss.size() == 25);
  CHECK(loss[24].value == 2.0 / 25);
  CHECK(reader.overview(run.id, "train.loss", 10).size() == 25);
  CHECK(reader.evaluations(run.id).size() == 1);
  CHECK(reader.split(run.id)->samples == 2);
  CHECK(reader.run(reader.find("second").id).parent == run.id);
}

}  // namespace

TEST_CASE("there is a fixture of every schema version before this one") {
  for (int version = 1; version < latest_version(); ++version) {
    TemporaryFolder folder;
    const auto path = folder / "bcx.db";
    make_from_fixture(path, version);
    CHECK(Reader(path).schema_version() == version);
    check_content(Reader(path));
    open_for_writing(path);
    CHECK(Reader(path).schema_version() == latest_version());
    check_content(Reader(path));
    const auto backup = path.string() + ".v" + std::to_string(version) + ".backup";
    CHECK(Reader(backup).schema_version() == version);
    check_content(Reader(backup));
  }
}

TEST_CASE("a run of schema 1 that is resumed gets its levels") {
  TemporaryFolder folder;
  const auto path = folder / "bcx.db";
  make_from_fixture(path, 1);
  const auto id = Reader(path).find("densenet201").id;
  auto writer = RunWriter::resume(path, id, {2, 0, 25});
  const auto key = writer->key("train.loss");
  for (std::int64_t step = 26; step <= 200; ++step) writer->metric(key, step, 0, 0.5);
  writer->flush();
  const Reader reader(path);
  CHECK(reader.series(id, "train.loss").size() == 200);
  const auto buckets = reader.overview(id, "train.loss", 4);
  REQUIRE(buckets.size() == 3 + 8);
  CHECK(buckets[0].count == 64);
  CHECK(buckets[0].finite->max == 1.0);
  CHECK(buckets.back().last_step == 200);
}

TEST_CASE("a new file has the tables that a migrated one has") {
  TemporaryFolder folder;
  make_from_fixture(folder / "old.db", 1);
  const auto columns = [](const std::filesystem::path& path) {
    auto database = open_for_writing(path);
    auto rows = database.prepare(
        "SELECT s.type || s.name || ' ' || coalesce(c.name || c.type || c.pk, '') "
        "FROM sqlite_schema s LEFT JOIN pragma_table_info(s.name) c ORDER BY s.name, c.cid");
    std::vector<std::string> out;
    while (rows.step()) out.push_back(rows.text(0));
    return out;
  };
  CHECK(columns(folder / "old.db") == columns(folder / "new.db"));
}
