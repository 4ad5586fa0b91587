// Which files are opened, how, and what is said when not.
#include <fmt/format.h>
#include <sqlite3.h>

#include <array>
#include <fstream>

#include "base/error.h"
#include "description.h"
#include "tests/catch.h"
#include "tracker/editor.h"
#include "tracker/file_lock.h"
#include "tracker/host.h"
#include "tracker/reader.h"
#include "tracker/run_writer.h"
#include "tracker/schema.h"

using namespace bcx::tracker;
using bcx::test::description;
using bcx::test::TemporaryFolder;

TEST_CASE("a connection follows the rules") {
  TemporaryFolder folder;
  auto database = open_for_writing(folder / "deep/er/bcx.db");
  CHECK(database.pragma("application_id") == 0x62637874);
  CHECK(database.pragma("user_version") == latest_version());
  CHECK(database.pragma("foreign_keys") == 1);
  CHECK(database.pragma("trusted_schema") == 0);
  CHECK(database.pragma("cell_size_check") == 1);
  CHECK(database.pragma("mmap_size") == 0);
  CHECK(database.pragma("wal_autocheckpoint") == 0);
  CHECK(database.pragma("synchronous") == 2);
  CHECK(database.pragma("busy_timeout") >= 60'000);
  auto mode = database.prepare("PRAGMA journal_mode");
  REQUIRE(mode.step());
  CHECK(mode.text(0) == "wal");
}

TEST_CASE("the WAL goes into the file at the last close, and under the lock alone") {
  TemporaryFolder folder;
  const auto path = folder / "bcx.db", wal = folder / "bcx.db-wal";
  close_after_writing(open_for_writing(path));
  CHECK_FALSE(std::filesystem::exists(wal));

  // Whoever closes without asking, or while somebody moves the WAL elsewhere, leaves it.
  { auto other_ways_to_close = open_for_writing(path); }
  const auto run = RunWriter::create(path, description("a"))->id();
  {
    auto database = open_for_writing(path);
    const auto lock = FileLock::take(lock_path(path), std::chrono::milliseconds(0));
    REQUIRE(lock);
    database.execute("UPDATE run SET seed=7");
    close_after_writing(std::move(database), std::chrono::milliseconds(0));
  }
  CHECK(std::filesystem::exists(wal));
  { Editor(path).note(run, "the next one takes it", false); }
  CHECK_FALSE(std::filesystem::exists(wal));
  const auto shown = Reader(path).run(run);
  CHECK(shown.seed == 7);
  CHECK(shown.notes == "first try\nthe next one takes it");
}

TEST_CASE("the views that are documented exist and can be read") {
  TemporaryFolder folder;
  {
    RunWriter::create(folder / "bcx.db", description("a"))->epoch_metrics(1, 1, {{"val.auc", 0.5}});
  }
  auto database = open_for_reading(folder / "bcx.db");
  for (const char* view : {"v_run", "v_metric", "v_best"}) {
    auto rows = database.prepare(std::string("SELECT * FROM ") + view);
    CHECK(rows.step());
  }
  CHECK_FALSE(database.prepare("SELECT * FROM v_prediction").step());
  CHECK_THROWS(database.execute("DELETE FROM run"));
  auto check = database.prepare("PRAGMA integrity_check");
  REQUIRE(check.step());
  CHECK(check.text(0) == "ok");
}

TEST_CASE("migrations: a backup first, then all steps or none") {
  TemporaryFolder folder;
  const auto path = folder / "bcx.db";
  { RunWriter::create(path, description("old")); }
  const int now = latest_version();
  const std::array<Migration, 2> good{
      {{now + 1, "ALTER TABLE run ADD COLUMN mood TEXT"}, {now + 2, "UPDATE run SET mood='calm'"}}};
  const std::array<Migration, 2> bad{{good[0], {now + 2, "UPDATE nowhere SET a=1"}}};
  Database database(path, Database::Mode::write);
  CHECK_THROWS(migrate(database, bad));
  CHECK(database.pragma("user_version") == now);
  CHECK_THROWS(database.prepare("SELECT mood FROM run"));

  migrate(database, good);
  CHECK(database.pragma("user_version") == now + 2);
  auto mood = database.prepare("SELECT mood FROM run");
  REQUIRE(mood.step());
  CHECK(mood.text(0) == "calm");
  const auto backup = fmt::format("{}.v{}.backup", path.string(), now);
  REQUIRE(std::filesystem::exists(backup));
  CHECK(Reader(backup).schema_version() == now);
  CHECK(Reader(backup).find("old").same_name == 1);
}

TEST_CASE("a newer file is read and not written") {
  TemporaryFolder folder;
  const auto path = folder / "bcx.db";
  { RunWriter::create(path, description("new")); }
  Database(path, Database::Mode::write).execute("PRAGMA user_version=7");
  CHECK_THROWS_WITH(
      RunWriter::create(path, description("b")),
      path.string() + ": this tracker was written by a newer bcx (schema 7, this one knows " +
          std::to_string(latest_version()) +
          "); it "
          "can be read; to write, update bcx or name another database with --tracker");
  const Reader reader(path);
  CHECK(reader.schema_version() == 7);
  CHECK(reader.runs({}).size() == 1);
}

TEST_CASE("files that are no trackers are left alone") {
  TemporaryFolder folder;
  const auto other = folder / "other.db";
  Database(other, Database::Mode::write).execute("CREATE TABLE t(a)");
  const auto message =
      ": this SQLite file is not a bcx tracker; name another database with --tracker";
  CHECK_THROWS_WITH(RunWriter::create(other, description("a")), other.string() + message);
  CHECK_THROWS_WITH(Reader(other), other.string() + message);

  const auto text = folder / "text.db";
  std::ofstream(text) << std::string(5000, 'x');
  CHECK_THROWS_WITH(Reader(text),
                    text.string() +
                        ": the tracker's database failed: file is not a database; restore "
                        "it from a backup, or name another database with --tracker");
  const auto none = folder / "none.db";
  try {
    Reader reader(none);
    FAIL("there is no such file");
  } catch (const bcx::Error& error) {
    CHECK(error.code() == bcx::ExitCode::usage);
    CHECK(std::string(error.what()) ==
          none.string() +
              ": there is no tracker here yet; `bcx run FILE` makes it; --tracker DB or "
              "BCX_TRACKER names another");
  }
  CHECK_FALSE(std::filesystem::exists(none));
}

TEST_CASE("network file systems are known by their magic numbers and refused") {
  CHECK(network_file_system(0x6969) == "NFS");
  CHECK(network_file_system(0xFF534D42) == "CIFS");
  CHECK(network_file_system(0xFFFFFFFFFF534D42) == "CIFS");  // sign-extended where f_type is signed
  CHECK(network_file_system(0xEF53) == "");                  // ext4
  CHECK(network_file_system(0x01021994) == "");              // tmpfs
  CHECK_THROWS_WITH(
      refuse_network_file_system("/home/me/runs", 0x0BD00BD0),
      "/home/me/runs: the tracker cannot write here: this is a network file system (Lustre), where "
      "SQLite's locks and shared memory do not work; write to a database on a local disk "
      "(--tracker /tmp/bcx.db); `bcx merge` brings several together");
}

TEST_CASE("hostile names stay inside the folder and are printed safely") {
  TemporaryFolder folder;
  auto run = description("../../etc/\x1b[31m passwd");
  auto writer = RunWriter::create(folder / "bcx.db", run);
  CHECK(writer->folder().parent_path() == folder.path());
  CHECK(writer->folder().filename().string() == "run.._.._etc___31m_passwd-" + writer->short_id());
}

TEST_CASE("a run's folder that a file names outside is never opened") {
  TemporaryFolder folder;
  const auto path = folder / "bcx.db";
  std::string id;
  {
    auto writer = RunWriter::create(path, description("a"));
    id = writer->id();
  }
  Database(path, Database::Mode::write).execute("UPDATE run SET folder='../../tmp'");
  CHECK(Reader(path).run(id).status == "crashed");
  CHECK_THROWS_WITH(RunWriter::resume(path, id, {}),
                    "../../tmp: the run's folder has a name that bcx does not write; restore the "
                    "database from a backup");
}

TEST_CASE("a lock is held by one, and let go") {
  TemporaryFolder folder;
  const auto path = folder / "x.lock";
  CHECK_FALSE(is_locked(path));
  {
    auto lock = FileLock::take(path, std::chrono::milliseconds(0));
    REQUIRE(lock);
    CHECK(is_locked(path));
    CHECK_FALSE(FileLock::take(path, std::chrono::milliseconds(5)));
  }
  CHECK_FALSE(is_locked(path));
}
