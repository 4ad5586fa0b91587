// Databases from elsewhere: what their makers put into them does not run, and does not stop bcx.
#include <fmt/format.h>

#include <fstream>

#include "base/error.h"
#include "base/paths.h"
#include "base/philox.h"
#include "base/text.h"
#include "description.h"
#include "tests/catch.h"
#include "tracker/editor.h"
#include "tracker/reader.h"
#include "tracker/run_writer.h"
#include "tracker/schema.h"
#include "tracker/sql_query.h"
#include "tracker/transfer.h"

using namespace bcx::tracker;
using bcx::test::description;
using bcx::test::TemporaryFolder;
namespace fs = std::filesystem;

namespace {

/// A tracker with one finished run, closed; `sql` is what a stranger then did to it.
struct Strange {
  explicit Strange(const std::string& sql = "") {
    auto writer = RunWriter::create(path, description("a"));
    writer->epoch_metrics(1, 1, {{"val.auc", 0.5}});
    id = writer->id();
    writer->finish(Status::finished, "");
    writer.reset();
    auto database = Database(path, Database::Mode::write);
    if (!sql.empty()) database.execute(sql);
    close_after_writing(std::move(database));
  }
  std::string refusal() const {
    try {
      Reader reader(path);
      reader.runs({});
      return "";
    } catch (const bcx::Error& error) {
      const std::string text = error.what(), where = path.string() + ": ";
      return text.starts_with(where) ? text.substr(where.size()) : text;
    }
  }
  TemporaryFolder folder;
  fs::path path = folder / "bcx.db";
  std::string id;
};

std::int64_t count(const fs::path& path, const std::string& table) {
  auto rows = open_for_reading(path).prepare("SELECT count(*) FROM " + table);
  rows.step();
  return rows.integer(0);
}

/// Reads everything that is shown of every run; errors are bcx::Error and printable.
void read_all(const fs::path& path) {
  try {
    const Reader reader(path);
    RunQuery everything;
    everything.all_keys = true;
    for (const auto& run : reader.runs(everything)) {
      reader.attempts(run.id);
      reader.events(run.id);
      reader.checkpoints(run.id);
      reader.split(run.id);
      reader.curves(run.id);
      for (const auto& key : reader.metric_keys(run.id)) reader.overview(run.id, key, 20);
      for (const auto& one : reader.evaluations(run.id)) reader.predictions(one.id);
    }
  } catch (const bcx::Error& error) {
    CHECK(bcx::printable(error.what()) == error.what());
  }
}

}  // namespace

TEST_CASE("a stranger's triggers do not run") {
  const Strange strange(
      "CREATE TRIGGER a AFTER INSERT ON run_tag BEGIN DELETE FROM metric; END;"
      "CREATE TRIGGER b AFTER UPDATE ON run BEGIN DELETE FROM attempt; END;"
      "CREATE TRIGGER c BEFORE INSERT ON event BEGIN SELECT RAISE(ABORT, 'no'); END");
  { Editor(strange.path).tag(strange.id, {"seen"}, {}); }
  { Editor(strange.path).note(strange.id, "noted", false); }
  CHECK(count(strange.path, "metric") == 1);
  CHECK(count(strange.path, "attempt") == 1);
  CHECK(Reader(strange.path).run(strange.id).notes == "first try\nnoted");
}

TEST_CASE("rows that belong to others still go with them") {
  const Strange strange;
  auto database = open_for_writing(strange.path);
  database.execute("DELETE FROM run");
  auto rows = database.prepare("SELECT count(*) FROM metric");
  rows.step();
  CHECK(rows.integer(0) == 0);
}

TEST_CASE("a view or a virtual table under a table's name is refused") {
  const Strange view(
      "ALTER TABLE event RENAME TO events; CREATE VIEW event AS SELECT * FROM events");
  const std::string remedy =
      ", and bcx writes a table; somebody changed this file: name another database with --tracker";
  CHECK(view.refusal() == "\"event\" is a view here" + remedy);
  CHECK_THROWS(open_for_writing(view.path));
  const Strange endless(
      "ALTER TABLE run RENAME TO runs; CREATE VIEW run AS WITH RECURSIVE n(i) AS (SELECT 1 UNION "
      "ALL "
      "SELECT i+1 FROM n) SELECT i AS id FROM n");
  CHECK(endless.refusal() == "\"run\" is a view here" + remedy);
  const Strange own("CREATE VIEW my_best AS SELECT * FROM v_best");
  CHECK(own.refusal() == "");
}

TEST_CASE("a stranger's view runs for as long as its reader allows") {
  const Strange strange(
      "DROP VIEW v_best; CREATE VIEW v_best AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT "
      "i+1 "
      "FROM n) SELECT i FROM n");
  CHECK_THROWS_AS(run_sql(strange.path, "SELECT count(*) FROM v_best", {.seconds = 0.2}),
                  bcx::Error);
}

TEST_CASE("functions in a stranger's schema are not called") {
  const Strange strange(
      "DROP VIEW v_best; CREATE VIEW v_best AS SELECT load_extension('/tmp/x.so') AS x");
  CHECK_THROWS_AS(run_sql(strange.path, "SELECT * FROM v_best"), bcx::Error);
  CHECK(strange.refusal() == "");
}

TEST_CASE("tables that lack columns or are gone") {
  CHECK(Strange("DROP VIEW v_run; ALTER TABLE run DROP COLUMN notes")
            .refusal()
            .starts_with("the tracker's database failed: no such column: "));
  const Strange gone("PRAGMA foreign_keys=OFF; DROP TABLE metric_key");
  CHECK(gone.refusal().starts_with("the tracker's database failed: no such table: "));
  CHECK(Strange("DROP VIEW v_run; DROP VIEW v_best").refusal() == "");
}

TEST_CASE("another application's file, and one of a version from the future") {
  CHECK(Strange("PRAGMA application_id=1").refusal() ==
        "this SQLite file is not a bcx tracker; name another database with --tracker");
  CHECK(Strange("PRAGMA application_id=0").refusal() ==
        "this SQLite file is not a bcx tracker; name another database with --tracker");
  CHECK(Strange("PRAGMA user_version=2147483647").refusal() == "");
  read_all(Strange("PRAGMA user_version=-1").path);
}

TEST_CASE("rows that no writer makes") {
  const Strange strange(
      "UPDATE run SET started=-9223372036854775808, ended=9223372036854775807, updated=0, "
      "attempt=-1, folder='../../etc', parent=id;"
      "UPDATE metric SET step=9223372036854775807, time=-9223372036854775808, value=9e999;"
      "UPDATE metric_summary SET last_step=-9223372036854775808, count=-1;"
      "INSERT INTO evaluation SELECT 1, id, 1, 0, 0, 0, 0, '', NULL, NULL, 'test', 'final', 0, '', "
      "'', NULL, 0, 9223372036854775807, -5, NULL FROM run;"
      "INSERT INTO prediction VALUES (1, 1, x'010203');"
      "INSERT INTO curve SELECT 1, id, 1, 1, 0, 'roc', 'x', 'y', 9223372036854775807, x'0102' FROM "
      "run;"
      "INSERT INTO checkpoint SELECT 1, id, 1, 0, 0, 0, 0, '/etc/passwd', 'best', -1, '', '', "
      "NULL, 1 "
      "FROM run");
  read_all(strange.path);
  // A folder that leads out is neither read nor packed.
  try {
    export_runs(strange.path, {strange.id}, strange.folder / "out.db", true);
  } catch (const bcx::Error&) {
  }
}

TEST_CASE("a file cut anywhere or with changed bytes: rows or an error, never a crash") {
  const Strange strange;
  const auto whole = bcx::read_text(strange.path, 100'000'000, bcx::ExitCode::storage);
  const TemporaryFolder folder;
  const auto path = folder / "bcx.db";
  const auto look = [&](const std::string& bytes) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
    read_all(path);
    try {
      close_after_writing(open_for_writing(path));
    } catch (const bcx::Error& error) {
      CHECK(bcx::printable(error.what()) == error.what());
    }
    for (const char* rest : {"-wal", "-shm", "-lock"}) fs::remove(path.string() + rest);
  };
  for (std::size_t size = 0; size < whole.size(); size += 4096 * 3 + 512)
    look(whole.substr(0, size));
  for (std::uint64_t round = 0; round < 60; ++round) {
    const bcx::Stream random(round, "pages");
    std::string bytes = whole;
    for (std::uint64_t k = 0; k < 8; ++k)
      bytes[random.below(2 * k, bytes.size())] = static_cast<char>(random.below(2 * k + 1, 256));
    look(bytes);
  }
}
