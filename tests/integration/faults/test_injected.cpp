// Calls to the kernel that fail: the first, and some in the middle. The run says what failed and
// where, keeps what it had, and goes on from there.

#include "tests/integration/faults/small_runs.h"

using namespace bcx;
namespace fs = std::filesystem;

TEST_CASE("a checkpoint that cannot be written ends the run, and the one before stays") {
  BCX_NEEDS_STRACE();
  const test::SmallRuns here;
  here.run_whole();
  here.run_stopped("stopped");
  struct Fault {
    const char* injection;
    const char* said;
  };
  for (const auto& [injection, said] :
       {Fault{"write:error=EIO:when=2", ": cannot write: Input/output error"},
        Fault{"write:error=ENOSPC:when=40",
              ": cannot write: No space left on device; free some "
              "space, or name a folder on another disk"},
        Fault{"fsync:error=EIO:when=1", ": cannot sync: Input/output error"},
        Fault{"rename:error=ENOSPC:when=1", ": cannot rename into place: No space left on device"},
        Fault{"fsync:error=EIO:when=2", ": cannot sync the folder: Input/output error"}}) {
    INFO(injection);
    const auto done = test::run_process(
        test::injecting({injection}, here.command({"resume", "stopped", "--quiet"})), here.path(),
        here.path());
    INFO(done.err);
    CHECK(done.code == 6);
    CHECK(done.err.starts_with("error: "));
    CHECK(done.err.find(said) != std::string::npos);
    CHECK(here.run_named("stopped").at("status") == "failed");
  }
  const auto last = here.bcx({"resume", "stopped"});
  INFO(last.err);
  REQUIRE(last.code == 0);
  here.require_same_as_whole("stopped");
}

TEST_CASE("calls that are interrupted are made again") {
  BCX_NEEDS_STRACE();
  const test::SmallRuns here;
  here.run_whole();
  const auto done = test::run_process(
      test::injecting({"write:error=EINTR:when=2+7", "fsync:error=EINTR:when=1+2",
                       "pwrite64:error=EINTR:when=3+9"},
                      here.command({"run", "small.toml", "--quiet", "--name", "interrupted"})),
      here.path(), here.path());
  INFO(done.err);
  REQUIRE(done.code == 0);
  here.require_same_as_whole("interrupted");
}

TEST_CASE("a tracker that cannot be written ends the run with its reason") {
  BCX_NEEDS_STRACE();
  const test::SmallRuns here;
  here.run_stopped("stopped");
  for (const char* injection : {"pwrite64:error=EIO:when=9", "fdatasync:error=EIO:when=6"}) {
    INFO(injection);
    const auto done = test::run_process(
        test::injecting({injection}, here.command({"resume", "stopped", "--quiet"})), here.path(),
        here.path());
    INFO(done.err);
    CHECK(done.code == 6);
    CHECK(done.err.find("bcx.db: the tracker's database failed: disk I/O error") !=
          std::string::npos);
  }
  const auto last = here.bcx({"resume", "stopped"});
  INFO(last.err);
  CHECK(last.code == 0);
}
