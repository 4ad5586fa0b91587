// 200 kills -9 at random moments of runs that go on after each, whole runs compared byte for byte.

#include <chrono>
#include <csignal>
#include <cstdio>
#include <random>
#include <thread>

#include "tests/integration/faults/small_runs.h"

using namespace bcx;

TEST_CASE("200 kills at random moments lose nothing") {
  const test::SmallRuns here;
  const auto begun = std::chrono::steady_clock::now();
  here.run_whole();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> share(0.0, 1.0);
  int kills = 0, runs = 0;
  while (kills < 200) {
    const std::string name = "killed" + std::to_string(runs++);
    for (;;) {
      test::Process process(
          here.command({"run", "small.toml", "--quiet", "--name", name, "--resume"}), here.path(),
          here.path());
      std::this_thread::sleep_for(took * share(random));
      if (share(random) < 0.5) {
        process.signal(SIGUSR1);
        std::this_thread::sleep_for(took * 0.2 * share(random));
      }
      process.signal(SIGKILL);
      const auto done = process.wait();
      INFO(name << ": " << done.err);
      if (done.code == 0) break;
      REQUIRE((done.code == 128 + SIGKILL || done.code == 128 + SIGUSR1));
      ++kills;
      // Most are killed once or twice; some until they are done in spite of it.
      if (share(random) < 0.4) {
        const auto last = here.run(name, {"--resume"});
        INFO(last.err);
        REQUIRE(last.code == 0);
        break;
      }
    }
    here.require_same_as_whole(name);
  }
  std::printf("%d kills in %d runs, seed %u\n", kills, runs, seed);
}
