// The tracker under real processes: killed, many at once, without permission.
#include <sys/resource.h>
#include <sys/stat.h>

#include <chrono>
#include <fstream>
#include <thread>

#include "child.h"
#include "description.h"
#include "tests/catch.h"
#include "tracker/garbage.h"
#include "tracker/host.h"
#include "tracker/reader.h"
#include "tracker/run_writer.h"
#include "tracker/schema.h"
#include "tracker/transfer.h"

using namespace bcx::tracker;
using namespace bcx::test;
using std::chrono::milliseconds;

namespace {

/// A child that writes an epoch row and 1,000 step metrics every 10 ms until it is killed, and
/// tells through the pipe which epoch was acknowledged last.
pid_t start_writer(const std::filesystem::path& database, int tell) {
  return start_child([=]() -> int {
    auto writer = RunWriter::create(database, description("victim"));
    const auto loss = writer->key("train.loss");
    writer->event(Level::warning, "learning rate lowered");
    for (std::int64_t epoch = 1;; ++epoch) {
      for (std::int64_t i = 1; i <= 1000; ++i)
        writer->metric(loss, (epoch - 1) * 1000 + i, static_cast<double>(epoch), 0.5);
      writer->epoch_metrics(static_cast<double>(epoch), epoch * 1000, {{"val.auc", 0.5}});
      if (write(tell, &epoch, sizeof epoch) != sizeof epoch) return 1;
      std::this_thread::sleep_for(milliseconds(10));
    }
  });
}

std::string integrity(const std::filesystem::path& path) {
  auto database = open_for_reading(path);
  auto check = database.prepare("PRAGMA integrity_check");
  return check.step() ? check.text(0) : "";
}

}  // namespace

TEST_CASE("a killed run is called crashed, and every acknowledged epoch is there") {
  TemporaryFolder folder;
  const auto path = folder / "bcx.db";
  for (const int patience : {120, 333}) {
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    const pid_t child = start_writer(path, ends[1]);
    close(ends[1]);
    std::int64_t acknowledged = 0, epoch = 0;
    REQUIRE(read(ends[0], &epoch, sizeof epoch) == sizeof epoch);
    CHECK(Reader(path).run(Reader(path).find("@last").id).status == "running");
    std::this_thread::sleep_for(milliseconds(patience));
    kill(child, SIGKILL);
    CHECK(wait_for(child) == 1000 + SIGKILL);
    while (read(ends[0], &epoch, sizeof epoch) == sizeof epoch) acknowledged = epoch;
    close(ends[0]);

    const Reader reader(path);
    const auto run = reader.run(reader.find("@last").id);
    CHECK(run.status == "crashed");
    CHECK(run.exit_reason == "last message: learning rate lowered");
    REQUIRE(run.ended);
    CHECK(bcx::tracker::now_microseconds() - *run.ended < 60'000'000);
    CHECK(reader.series(run.id, "val.auc").size() >= static_cast<std::size_t>(acknowledged));
    // Step metrics before an acknowledged epoch row were committed with or before it.
    CHECK(reader.series(run.id, "train.loss").size() >=
          static_cast<std::size_t>(acknowledged) * 1000);
    const auto summary = run.metrics.at("train.loss");
    CHECK(summary.count == std::ssize(reader.series(run.id, "train.loss")));
    CHECK(integrity(path) == "ok");
  }
}

TEST_CASE("step metrics are lost within the window alone") {
  TemporaryFolder folder;
  const auto path = folder / "bcx.db";
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const pid_t child = start_child([&]() -> int {
    auto writer = RunWriter::create(path, description("victim"));
    const auto key = writer->key("train.loss");
    for (std::int64_t step = 1; step <= 500; ++step) writer->metric(key, step, 0, 1.0);
    // Nothing waits for the writer thread here: it wakes by itself.
    std::this_thread::sleep_for(milliseconds(1500));
    if (write(ends[1], "x", 1) != 1) return 1;
    std::this_thread::sleep_for(std::chrono::seconds(60));
    return 0;
  });
  char sign = 0;
  REQUIRE(read(ends[0], &sign, 1) == 1);
  kill(child, SIGKILL);
  wait_for(child);
  close(ends[0]);
  close(ends[1]);
  const Reader reader(path);
  CHECK(reader.series(reader.find("@last").id, "train.loss").size() == 500);
}

TEST_CASE("a killed run is resumed by another process") {
  TemporaryFolder folder;
  const auto path = folder / "bcx.db";
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const pid_t child = start_writer(path, ends[1]);
  std::int64_t epoch = 0;
  for (int i = 0; i < 3; ++i) REQUIRE(read(ends[0], &epoch, sizeof epoch) == sizeof epoch);
  kill(child, SIGKILL);
  wait_for(child);
  close(ends[0]);
  close(ends[1]);
  const auto id = Reader(path).find("victim").id;
  auto writer = RunWriter::resume(path, id, {2, 0, 2000});
  writer->epoch_metrics(3, 3000, {{"val.auc", 0.75}});
  writer->finish(Status::finished, "");
  const Reader reader(path);
  const auto series = reader.series(id, "val.auc");
  REQUIRE(series.size() == 3);
  CHECK(series[2].value == 0.75);
  CHECK(reader.series(id, "train.loss").size() == 2000);
  CHECK(reader.attempts(id)[0].status == "ended");
  CHECK(reader.run(id).status == "finished");
}

TEST_CASE("64 processes write at once: no row is lost, no lock error") {
  TemporaryFolder folder;
  const auto path = folder / "bcx.db";
  constexpr int processes = 64, epochs = 3, steps = 500;
  std::vector<pid_t> children;
  for (int p = 0; p < processes; ++p)
    children.push_back(start_child([&, p]() -> int {
      auto writer = RunWriter::create(path, description("worker-" + std::to_string(p)));
      const auto key = writer->key("train.loss");
      for (int epoch = 1; epoch <= epochs; ++epoch) {
        for (int i = 1; i <= steps; ++i) writer->metric(key, (epoch - 1) * steps + i, epoch, i);
        writer->epoch_metrics(epoch, epoch * steps, {{"val.auc", p + epoch * 0.1}});
      }
      writer->finish(Status::finished, "");
      return 0;
    }));
  for (const pid_t child : children) CHECK(wait_for(child) == 0);
  // The last to close moved the WAL into the file: that file alone is the whole tracker.
  CHECK_FALSE(std::filesystem::exists(path.string() + "-wal"));
  const Reader reader(path);
  RunQuery query;
  query.all_keys = true;
  const auto runs = reader.runs(query);
  REQUIRE(runs.size() == processes);
  for (const auto& run : runs) {
    CHECK(run.status == "finished");
    CHECK(run.metrics.at("train.loss").count == epochs * steps);
    CHECK(reader.series(run.id, "train.loss").size() == epochs * steps);
    CHECK(run.metrics.at("val.auc").count == epochs);
  }
  CHECK(integrity(path) == "ok");
}

namespace {

/// Gives up root's powers, so that permissions mean something.
void become_nobody() {
  if (geteuid() != 0) return;
  constexpr uid_t nobody = 65534;
  if (setgid(nobody) != 0 || setuid(nobody) != 0) _exit(98);
}

}  // namespace

TEST_CASE("a folder that cannot be written can be read, and says so to writers") {
  TemporaryFolder folder;
  const auto path = folder / "bcx.db";
  // An earlier reader leaves an empty WAL and its shared memory behind.
  const bool read_before = GENERATE(false, true);
  {
    auto writer = RunWriter::create(path, description("kept"));
    writer->epoch_metrics(1, 1, {{"val.auc", 0.5}});
    writer->finish(Status::finished, "");
  }
  if (read_before) CHECK(Reader(path).run_count() == 1);
  for (const char* suffix : {"", "-lock", "-wal", "-shm"})
    chmod((path.string() + suffix).c_str(), 0444);
  chmod(folder.path().c_str(), 0555);
  const int result = wait_for(start_child([&]() -> int {
    become_nobody();
    if (Reader(path).runs({}).size() != 1) return 1;
    try {
      RunWriter::create(path, description("b"));
    } catch (const bcx::Error& error) {
      const auto expected = path.string() +
                            "-lock: cannot open the lock file: Permission denied; the tracker's "
                            "folder must be writable; name another database with --tracker";
      if (error.what() == expected && error.code() == bcx::ExitCode::storage) return 0;
      dprintf(STDERR_FILENO, "said: %s\n", error.what());
      return 2;
    }
    return 3;
  }));
  chmod(folder.path().c_str(), 0755);
  CHECK(result == 0);
}

TEST_CASE("a read-only file in a writable folder is named as what it is") {
  TemporaryFolder folder;
  const auto path = folder / "bcx.db";
  { RunWriter::create(path, description("kept"))->finish(Status::finished, ""); }
  chmod(path.c_str(), 0444);
  chmod((path.string() + "-lock").c_str(), 0666);
  chmod(folder.path().c_str(), 0777);
  const int result = wait_for(start_child([&]() -> int {
    become_nobody();
    try {
      RunWriter::create(path, description("b"));
    } catch (const bcx::Error& error) {
      const auto expected = path.string() +
                            ": the tracker's database is read-only; check the permissions of the "
                            "file and its folder, or name another with --tracker";
      if (error.what() == expected) return 0;
      dprintf(STDERR_FILENO, "said: %s\n", error.what());
    }
    return 1;
  }));
  CHECK(result == 0);
}

TEST_CASE("a full disk ends the writer, not the reader's file") {
  // 256 kB for a file: a limit on the process stands in for a small disk.
  TemporaryFolder folder;
  const auto path = folder / "bcx.db";
  { RunWriter::create(path, description("before"))->finish(Status::finished, ""); }
  const int result = wait_for(start_child([&]() -> int {
    signal(SIGXFSZ, SIG_IGN);
    auto writer = RunWriter::create(path, description("too much"));
    const rlimit limit{512 * 1024, 512 * 1024};
    setrlimit(RLIMIT_FSIZE, &limit);
    const auto key = writer->key("train.loss");
    try {
      for (int step = 0; step < 200'000; ++step) writer->metric(key, step, 0, step);
      writer->flush();
    } catch (const bcx::Error& error) {
      if (error.code() != bcx::ExitCode::storage) return 2;
      writer->metric(key, 1, 0, 0);  // dropped, and nothing waits
      try {
        writer->finish(Status::failed, "disk full");
      } catch (const bcx::Error&) {
        return 0;
      }
      return 3;
    }
    return 1;
  }));
  CHECK(result == 0);
  const Reader reader(path);
  CHECK(reader.run_count() == 2);
  CHECK(reader.run(reader.find("too much").id).status == "crashed");
  CHECK(integrity(path) == "ok");
}

TEST_CASE("a merge that is killed leaves whole runs, and goes on") {
  TemporaryFolder folder;
  const auto source = folder / "a/bcx.db", target = folder / "b/bcx.db";
  std::vector<std::string> ids;
  for (int run = 0; run < 8; ++run) {
    auto writer = RunWriter::create(source, description("run-" + std::to_string(run)));
    const auto key = writer->key("train.loss");
    for (int step = 1; step <= 500; ++step) writer->metric(key, step, 0, step);
    std::filesystem::create_directories(writer->folder() / "checkpoints");
    std::ofstream(writer->folder() / "report.html") << "report";
    std::ofstream(writer->folder() / "weights.bin") << std::string(1 << 20, 'w');
    writer->finish(Status::finished, "");
    ids.push_back(writer->id());
  }
  { RunWriter::create(target, description("own"))->finish(Status::finished, ""); }
  for (const int patience : {1, 5, 10, 20, 40, 80}) {
    const pid_t child = start_child([&]() -> int {
      merge(target, source);
      return 0;
    });
    std::this_thread::sleep_for(milliseconds(patience));
    kill(child, SIGKILL);
    wait_for(child);
    CHECK(integrity(target) == "ok");
    const Reader reader(target);
    for (const auto& run : reader.runs({})) {
      CHECK(run.status == "finished");
      if (run.name == "own") continue;
      CHECK(reader.series(run.id, "train.loss").size() == 500);
      CHECK(std::filesystem::file_size(reader.folder() / run.folder / "weights.bin") == 1 << 20);
    }
  }
  merge(target, source);
  const Reader reader(target);
  CHECK(reader.run_count() == 9);
  for (const auto& id : ids) CHECK(reader.run(id).status == "finished");
  CHECK(collect_garbage(target, false).empty());
}
