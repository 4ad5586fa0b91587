// A small disk that is full, and one that is mounted read-only: what is told, and what stays.
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "base/atomic_file.h"
#include "child.h"
#include "description.h"
#include "tests/catch.h"
#include "tests/process.h"
#include "tracker/editor.h"
#include "tracker/reader.h"
#include "tracker/run_writer.h"
#include "tracker/schema.h"
#include "tracker/transfer.h"

using namespace bcx::tracker;
using namespace bcx::test;
namespace fs = std::filesystem;

namespace {

/// Mounts of this process and its children alone: nothing is left behind, however it ends.
bool own_mounts() {
  static const bool made =
      unshare(CLONE_NEWNS) == 0 && mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
  return made;
}

/// A tmpfs of 4 MiB.
class SmallDisk {
 public:
  SmallDisk() {
    mounted_ = own_mounts() && mount("tmpfs", folder_.path().c_str(), "tmpfs", 0, "size=4m") == 0;
  }
  ~SmallDisk() {
    if (mounted_) umount2(folder_.path().c_str(), MNT_DETACH);
  }
  explicit operator bool() const { return mounted_; }
  fs::path operator/(const fs::path& name) const { return folder_ / name; }

  /// Leaves no more than `spare` bytes.
  void fill(std::int64_t spare = 0) const {
    const int file = open((folder_ / "ballast").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
    const std::string page(4096, 'b');
    std::int64_t size = 0;
    for (ssize_t got = 0; (got = write(file, page.data(), page.size())) > 0;) size += got;
    if (ftruncate(file, std::max<std::int64_t>(0, size - spare)) != 0) FAIL("no ballast");
    close(file);
  }
  void free() const { fs::remove(folder_ / "ballast"); }

 private:
  TemporaryFolder folder_;
  bool mounted_ = false;
};

#define BCX_NEEDS_MOUNTS(disk) \
  if (!(disk)) BCX_SKIP(std::string("cannot mount here: ") + std::strerror(errno))

template <typename Work>
std::string error_of(Work work) {
  try {
    work();
  } catch (const bcx::Error& error) {
    CHECK(error.code() == bcx::ExitCode::storage);
    return error.what();
  }
  return "no error";
}

std::string integrity(const fs::path& path) {
  auto database = open_for_reading(path);
  auto check = database.prepare("PRAGMA integrity_check");
  return check.step() ? check.text(0) : "";
}

Outcome bcx_command(std::vector<std::string> arguments, const fs::path& database) {
  TemporaryFolder folder;  // its output goes to a disk that is not full
  arguments.insert(arguments.begin(), (build_dir() / "bin/bcx").string());
  arguments.insert(arguments.end(), {"--tracker", database.string()});
  return run_process(std::move(arguments), folder.path());
}

std::string disk_full(const fs::path& path) {
  return path.string() +
         ": the tracker's database failed: database or disk is full; free some space, or name a "
         "database on another disk with --tracker";
}

}  // namespace

TEST_CASE("a disk that fills up: what was acknowledged stays, and the run can be resumed") {
  const SmallDisk disk;
  BCX_NEEDS_MOUNTS(disk);
  const auto path = disk / "bcx.db";
  std::int64_t acknowledged = 0;
  std::string id;
  {
    auto run = RunWriter::create(path, description("victim"));
    id = run->id();
    const auto key = run->key("train.loss");
    const auto said = error_of([&] {
      for (std::int64_t epoch = 1; epoch < 10'000; ++epoch) {
        for (int i = 1; i <= 1000; ++i)
          run->metric(key, (epoch - 1) * 1000 + i, static_cast<double>(epoch), 0.5);
        run->epoch_metrics(static_cast<double>(epoch), epoch * 1000, {{"val.auc", 0.5}});
        acknowledged = epoch;
      }
    });
    CHECK(said == disk_full(path));
    CHECK(acknowledged > 3);
    // The training thread is not held up, and is told at the next check.
    run->metric(key, 1, 0, 0);
    CHECK(error_of([&] { run->check(); }) == said);
    CHECK(error_of([&] { run->finish(Status::failed, "disk full"); }) == said);
  }
  const auto check_rows = [&] {
    const Reader reader(path);
    CHECK(reader.run(id).status == "crashed");
    CHECK(reader.series(id, "val.auc").size() == static_cast<std::size_t>(acknowledged));
    CHECK(reader.series(id, "train.loss").size() >= static_cast<std::size_t>(acknowledged) * 1000);
  };
  check_rows();
  disk.fill();
  check_rows();
  const auto listed = bcx_command({"runs"}, path);
  CHECK(listed.code == 0);
  CHECK(listed.out.find("crashed") != std::string::npos);
  disk.free();
  CHECK(integrity(path) == "ok");
}

TEST_CASE("on a full disk nothing is begun, everything is told, and space brings it back") {
  const SmallDisk disk;
  BCX_NEEDS_MOUNTS(disk);
  const auto path = disk / "bcx.db";
  {
    auto run = RunWriter::create(path, description("kept"));
    run->epoch_metrics(1, 1, {{"val.auc", 0.5}});
    run->finish(Status::finished, "");
  }
  disk.fill();
  CHECK(bcx_command({"runs"}, path).code == 0);
  const auto tagged = bcx_command({"tag", "kept", "+late"}, path);
  CHECK(tagged.code == 6);
  CHECK(tagged.err == "error: " + disk_full(path) + "\n");
  CHECK(error_of([&] { RunWriter::create(path, description("new")); }) == disk_full(path));
  disk.free();
  CHECK(Reader(path).run_count() == 1);
  CHECK(bcx_command({"tag", "kept", "+late"}, path).code == 0);
  RunWriter::create(path, description("new"))->finish(Status::finished, "");
  CHECK(integrity(path) == "ok");
}

TEST_CASE("files on a full disk: the old one stays, no half of the new one") {
  const SmallDisk disk;
  BCX_NEEDS_MOUNTS(disk);
  const auto path = disk / "bcx.db", report = disk / "report.html", packed = disk / "x.bcxrun";
  auto run = RunWriter::create(path, description("kept"));
  bcx::write_atomically(report, "old");
  disk.fill(8192);
  const std::string large(1 << 20, 'x');
  // As callbacks write: on the writer's own thread for files.
  run->io([&] { bcx::write_atomically(report, large); });
  CHECK(error_of([&] { run->flush(); }) == report.string() +
                                               ": cannot write: No space left on device; free some "
                                               "space, or name a folder on another disk");
  CHECK(slurp(report) == "old");
  disk.free();
  run->finish(Status::finished, "");  // a file that failed does not end the run

  disk.fill(8192);
  const auto said = error_of([&] { export_runs(path, {run->id()}, packed, true); });
  CHECK(said == disk_full(packed.string() + ".tmp"));
  disk.free();
  CHECK_FALSE(fs::exists(packed));
  for (const auto& entry : fs::directory_iterator(path.parent_path()))
    CHECK(entry.path().string().find(".tmp") == std::string::npos);
}

TEST_CASE("a merge that fills the disk leaves the tracker whole, and goes on with more space") {
  const SmallDisk disk;
  BCX_NEEDS_MOUNTS(disk);
  TemporaryFolder elsewhere;
  const auto source = elsewhere / "bcx.db", path = disk / "bcx.db";
  for (int i = 0; i < 3; ++i) {
    auto run = RunWriter::create(source, description("run-" + std::to_string(i)));
    std::ofstream(run->folder() / "weights.bin") << std::string(900'000, 'w');
    run->finish(Status::finished, "");
  }
  { RunWriter::create(path, description("own"))->finish(Status::finished, ""); }
  disk.fill(1'500'000);
  const auto said = error_of([&] { merge(path, source); });
  CHECK(said.find("No space left on device") != std::string::npos);
  CHECK(integrity(path) == "ok");
  const auto whole = Reader(path).run_count();
  CHECK(whole >= 2);
  CHECK(whole < 4);
  disk.free();
  merge(path, source);
  CHECK(Reader(path).run_count() == 4);
}

TEST_CASE("a read-only bind mount: everything can be read, nothing is changed, and it is told") {
  TemporaryFolder folder, seen;
  const auto path = folder / "bcx.db", there = seen / "bcx.db";
  {
    auto run = RunWriter::create(path, description("kept"));
    run->epoch_metrics(1, 1, {{"val.auc", 0.5}});
    run->finish(Status::finished, "");
  }
  const bool mounted =
      own_mounts() &&
      mount(folder.path().c_str(), seen.path().c_str(), nullptr, MS_BIND, nullptr) == 0 &&
      mount(nullptr, seen.path().c_str(), nullptr, MS_BIND | MS_REMOUNT | MS_RDONLY, nullptr) == 0;
  BCX_NEEDS_MOUNTS(mounted);
  for (const std::vector<std::string>& command : {std::vector<std::string>{"runs"},
                                                  {"show", "kept"},
                                                  {"curve", "kept", "val.auc"},
                                                  {"sql", "SELECT * FROM v_run"},
                                                  {"log", "kept"},
                                                  {"rm", "--list"},
                                                  {"gc"}})
    CHECK(bcx_command(command, there).code == 0);
  const auto refused = "error: " + there.string() +
                       "-lock: cannot open the lock file: Read-only file system; the tracker's "
                       "folder must be writable; name another database with --tracker\n";
  for (const std::vector<std::string>& command : {std::vector<std::string>{"tag", "kept", "+x"},
                                                  {"note", "kept", "x"},
                                                  {"name", "kept", "other"},
                                                  {"rm", "kept"}}) {
    const auto result = bcx_command(command, there);
    CHECK(result.code == 6);
    CHECK(result.err == refused);
  }
  CHECK("error: " + error_of([&] { RunWriter::create(there, description("new")); }) + "\n" ==
        refused);
  CHECK(error_of([&] {
          bcx::write_atomically(seen / "report.html", "x");
        }).find("Read-only file system") != std::string::npos);
  umount2(seen.path().c_str(), MNT_DETACH);
  CHECK(Reader(path).run_count() == 1);
}
