// Controllers and workers of a sweep are killed at random: the same set of trials comes out, none
// lost, none twice, with the same values. BCX_KILLS says how many times (default 6).

#include <dirent.h>

#include <random>

#include "workplace.h"

using namespace bcx;
namespace fs = std::filesystem;
using test::SweepWorkplace;

namespace {

constexpr const char* grid = R"(
extends = ["small.toml"]
[sweep]
objective = "val.loss"
attempts = 1000
[[sweep.parameter]]
key = "train.batch_size"
choices = [4, 8]
[[sweep.parameter]]
key = "optimizer.learning_rate"
log_uniform = [1e-3, 1e-1]
points = 3
)";

/// Processes whose parent this is.
std::vector<pid_t> children_of(pid_t parent) {
  std::vector<pid_t> found;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const auto name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    std::ifstream stat(entry.path() / "stat");
    std::string text((std::istreambuf_iterator<char>(stat)), {});
    const auto end = text.rfind(')');
    if (end == std::string::npos) continue;
    std::istringstream rest(text.substr(end + 2));
    char state = 0;
    pid_t its = 0;
    rest >> state >> its;
    if (its == parent && state != 'Z') found.push_back(static_cast<pid_t>(std::stol(name)));
  }
  return found;
}

}  // namespace

TEST_CASE("killed at random, a sweep ends with the same trials and the same values", "[kills]") {
  const SweepWorkplace here;
  here.write("grid.toml", grid);
  const std::vector<std::string> work{"sweep", "run", "grid.toml", "--jobs", "2"};
  REQUIRE(here.bcx(work).code == 0);
  const auto whole = here.values();
  REQUIRE(whole.size() == 6);

  const char* told = std::getenv("BCX_KILLS");
  const int wanted = told ? std::stoi(told) : 6;
  std::mt19937 random(20261123);
  int kills = 0, sweeps = 0;
  // One sweep lasts for some kills only; more follow until all were dealt.
  while (kills < wanted) {
    ++sweeps;
    auto command = work;
    command.push_back("--new");
    for (bool finished = false; !finished;) {
      test::Process controller(here.command(command), here.path(), here.path());
      command = work;  // goes on with the newest
      for (;;) {
        const auto pause = std::chrono::milliseconds(200 + random() % 1500);
        if (controller.ends_within(pause)) break;
        if (kills == wanted) continue;
        const auto workers = children_of(controller.id());
        const auto victim = random() % 3;
        ++kills;
        if (victim == 0 || workers.empty())
          controller.signal(SIGKILL);
        else
          ::kill(workers[random() % workers.size()], SIGKILL);
      }
      const auto ended = controller.wait();
      INFO(ended.err);
      REQUIRE((ended.code == 0 || ended.code == 128 + SIGKILL));
      finished = ended.code == 0;
    }
    CHECK(here.values() == whole);
  }
  WARN("killed " << kills << " times in " << sweeps << " sweeps");
}
