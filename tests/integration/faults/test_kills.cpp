// kill -9, at random moments and at every phase of a checkpoint: the run goes on from what was
// acknowledged, and ends with the bytes of a run that was never killed.

#include <chrono>
#include <csignal>
#include <random>
#include <thread>

#include "tests/integration/faults/small_runs.h"

using namespace bcx;
namespace fs = std::filesystem;

namespace {

/// Kills a run at a random moment, again and again, until it has ended.
void kill_until_done(const test::SmallRuns& here, const std::string& name, double seconds,
                     std::mt19937& random, int kills) {
  for (int i = 0; i < kills; ++i) {
    const std::chrono::duration<double> moment(
        std::uniform_real_distribution<double>(0.0, seconds)(random));
    test::Process process(
        here.command({"run", "small.toml", "--quiet", "--name", name, "--resume"}), here.path(),
        here.path());
    std::this_thread::sleep_for(moment);
    process.signal(SIGUSR1);  // so that the next one goes on in the middle of an epoch, mostly
    std::this_thread::sleep_for(moment * 0.1);
    process.signal(SIGKILL);
    const auto done = process.wait();
    INFO(done.err);
    // Before the handlers are there SIGUSR1 ends it.
    REQUIRE((done.code == 128 + SIGKILL || done.code == 128 + SIGUSR1 || done.code == 0));
    if (done.code == 0) return;
  }
}

}  // namespace

TEST_CASE("killed at random moments, a run ends with the same bytes") {
  const test::SmallRuns here;
  const auto begun = std::chrono::steady_clock::now();
  here.run_whole();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
  std::mt19937 random(std::random_device{}());
  kill_until_done(here, "killed", took.count(), random, 4);
  if (here.run_named("killed").is_null() || here.run_named("killed").at("status") != "finished") {
    const auto done = here.run("killed", {"--resume"});
    INFO(done.err);
    REQUIRE(done.code == 0);
  }
  here.require_same_as_whole("killed");
}

TEST_CASE("killed at every phase of a checkpoint, a run goes on from the one before") {
  BCX_NEEDS_STRACE();
  const test::SmallRuns here;
  here.run_whole();
  here.run_stopped("killed");
  const auto before = here.newest_checkpoint("killed");
  // On resuming, only the thread that writes a checkpoint makes these calls: its file's first and
  // a later byte, its fsync, its rename, the folder's fsync. Then the database's turn.
  for (const char* phase :
       {"write:signal=KILL:when=1", "write:signal=KILL:when=60", "fsync:signal=KILL:when=1",
        "rename:signal=KILL:when=1", "fsync:signal=KILL:when=2"}) {
    INFO(phase);
    const auto done =
        test::run_process(test::injecting({phase}, here.command({"resume", "killed", "--quiet"})),
                          here.path(), here.path());
    INFO(done.err);
    CHECK(done.code == 128 + SIGKILL);
    CHECK(here.run_named("killed").at("status") == "crashed");
    CHECK(fs::exists(before));
  }
  const auto last = here.bcx({"resume", "killed"});
  INFO(last.err);
  REQUIRE(last.code == 0);
  CHECK(last.err.find("passing over") == std::string::npos);
  here.require_same_as_whole("killed");
}
