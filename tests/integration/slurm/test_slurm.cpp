// Sweeps on a real Slurm: a cluster of this machine alone, started and stopped here.
#include <unistd.h>

#include <chrono>
#include <thread>

#include "tests/integration/sweep/workplace.h"

using namespace bcx;
namespace fs = std::filesystem;
using nlohmann::json;
using test::Outcome;
using test::SweepWorkplace;

namespace {

/// Why there can be no cluster here; empty: there can.
std::string missing() {
  if (geteuid() != 0) return "Slurm's daemons need root";
  for (const char* program :
       {"/usr/sbin/slurmctld", "/usr/sbin/slurmd", "/usr/sbin/munged", "/usr/bin/sbatch"})
    if (!fs::exists(program))
      return std::string(program) + " is not installed (tools/setup --ci installs it)";
  return {};
}

class Cluster {
 public:
  Cluster() {
    const auto started = script("start");
    INFO(started.out << started.err);
    REQUIRE(started.code == 0);
    setenv("SLURM_CONF", (folder_ / "slurm.conf").c_str(), 1);
  }
  ~Cluster() {
    slurm({"/usr/bin/scancel", "--user=root"});
    script("stop");
    unsetenv("SLURM_CONF");
  }
  Outcome slurm(const std::vector<std::string>& command) const {
    return test::run_process(command, folder_.path());
  }
  bool is_idle() const {
    const auto queue = slurm({"/usr/bin/squeue", "--noheader"});
    return queue.code == 0 && queue.out.empty();
  }
  std::string log() const { return test::slurp(folder_ / "slurmctld.log"); }

 private:
  Outcome script(const char* what) const {
    return test::run_process({(test::source_dir() / "tests/integration/slurm/one_machine").string(),
                              what, folder_.path().string()},
                             folder_.path());
  }
  test::TemporaryFolder folder_;
};

template <typename Condition>
bool comes(const Condition& condition, int seconds) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  while (std::chrono::steady_clock::now() < end) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
  }
  return false;
}

std::string line_of(const Outcome& outcome) {
  return outcome.out.substr(0, outcome.out.find('\n'));
}

std::string logs_of(const fs::path& folder) {
  std::string text;
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.path().extension() == ".log") text += test::slurp(entry.path());
  return text;
}

const char* grid = R"(
extends = ["small.toml"]
[train]
epochs = 2
[sweep]
objective = "val.loss"
[[sweep.parameter]]
key = "train.batch_size"
choices = [4, 8]
[[sweep.parameter]]
key = "optimizer.learning_rate"
log_uniform = [1e-3, 1e-1]
points = 2
)";

const char* endless = R"(
extends = ["small.toml"]
[train]
epochs = 100000
[sweep]
objective = "val.loss"
[[sweep.parameter]]
key = "optimizer.learning_rate"
choices = [1e-3]
)";

}  // namespace

TEST_CASE("tasks with trackers of their own, requeued and cancelled, end with the same results") {
  if (const auto why = missing(); !why.empty()) BCX_SKIP(why);
  const SweepWorkplace here;
  here.write("grid.toml", grid);
  REQUIRE(here.bcx({"sweep", "run", "grid.toml", "--tracker", "alone/bcx.db"}).code == 0);
  std::map<std::string, double> expected;
  const auto alone = here.ask({"sweep", "show", "--json", "--tracker", "alone/bcx.db"});
  for (const auto& trial : alone.at("trials"))
    expected[trial.at("set").dump()] = trial.at("value").get<double>();
  REQUIRE(expected.size() == 4);

  const Cluster cluster;
  const auto submit = [&](const char* tasks) {
    const auto done = here.bcx({"sweep", "submit", "grid.toml", "--slurm", "--separate", "--folder",
                                "shared", "--array", tasks, "--cpus", "1", "--time", "10"});
    INFO(done.err);
    REQUIRE(done.code == 0);
    return line_of(done);
  };
  const auto job = submit("2");
  CHECK(here.bcx({"sweep", "submit", "grid.toml", "--slurm"})
            .err.find("error: grid: Slurm job " + job +
                      " works at this sweep; wait for it (bcx sweep status ") != std::string::npos);
  CHECK(here.bcx({"sweep", "resume"}).err.find("works at this sweep") != std::string::npos);

  const auto finished = [&] {
    std::size_t count = 0;
    for (const auto& trial : here.trials()) count += trial.at("state") == "finished";
    return count;
  };
  REQUIRE(comes([&] { return finished() >= 1; }, 300));
  cluster.slurm({"/usr/bin/scontrol", "requeue", job + "_0"});
  const auto before = finished();
  comes([&] { return finished() > before; }, 60);
  cluster.slurm({"/usr/bin/scancel", job});
  REQUIRE(comes([&] { return cluster.is_idle(); }, 120));

  // Again, parted otherwise: what was done stays done.
  submit("1");
  const bool done = comes([&] { return finished() == 4; }, 300);
  INFO(logs_of(here.path() / "shared") << cluster.log());
  REQUIRE(done);
  REQUIRE(comes([&] { return cluster.is_idle(); }, 60));
  CHECK(here.values() == expected);
  // One that was stopped before its first checkpoint has begun anew; none was finished twice.
  CHECK(here.ask({"runs", "status = \"finished\"", "--json"}).size() == 4);
  CHECK(here.ask({"sweep", "status", "--json"})[0].at("status") == "finished");
  // The nodes' disks are left as they were.
  for (const auto& entry : fs::directory_iterator(fs::temp_directory_path()))
    CHECK(!entry.path().filename().string().starts_with("bcx-sweep-"));
}

TEST_CASE("before its time limit a task saves and queues again, and cancelled it saves") {
  if (const auto why = missing(); !why.empty()) BCX_SKIP(why);
  const SweepWorkplace here;
  here.write("endless.toml", endless);
  const Cluster cluster;
  // This machine is the cluster: the tasks share the tracker. Slurm counts time in minutes.
  const auto submitted = here.bcx({"sweep", "submit", "endless.toml", "--slurm", "--cpus", "1",
                                   "--time", "1", "--warning", "50"});
  INFO(submitted.err);
  REQUIRE(submitted.code == 0);
  const auto attempts = [&] {
    const auto rows =
        here.bcx({"sql", "--json", "SELECT number, status FROM attempt ORDER BY number"});
    return rows.code == 0 ? json::parse(rows.out) : json::array();
  };
  const bool again = comes([&] { return attempts().size() >= 2; }, 240);
  INFO(attempts().dump() << logs_of(here.path() / "runs/sweeps") << cluster.log());
  REQUIRE(again);
  CHECK(attempts()[0].at("status") == "stopped");
  cluster.slurm({"/usr/bin/scancel", line_of(submitted)});
  REQUIRE(comes([&] { return cluster.is_idle(); }, 120));
  const auto trial = here.trials().at(0);
  CHECK(trial.at("state") == "stopped");
  CHECK(here.ask({"runs", "--json"}).at(0).at("status") == "stopped");
}

TEST_CASE("a job's script is shown without being submitted") {
  const SweepWorkplace here;
  here.write("grid.toml", grid);
  const auto done = here.bcx({"sweep", "submit", "grid.toml", "--slurm", "--separate", "--array",
                              "8", "--partition", "gpu", "--gpus", "a100:1", "--time", "4:00:00",
                              "--sbatch=--account=path", "--dry-run"});
  INFO(done.err);
  REQUIRE(done.code == 0);
  for (const char* line : {"#!/bin/bash\n", "#SBATCH --array=0-7\n", "#SBATCH --partition=gpu\n",
                           "#SBATCH --time=4:00:00\n", "#SBATCH --gpus-per-task=a100:1\n",
                           "#SBATCH --account=path\n", "#SBATCH --requeue\n",
                           "#SBATCH --signal=B:USR2@300\n", " sweep task ", "scontrol requeue"})
    CHECK(done.out.find(line) != std::string::npos);
  CHECK(
      here.bcx({"sweep", "submit", "grid.toml", "--slurm", "--sbatch", "--x\n#SBATCH --y"}).code ==
      2);
  CHECK(here.bcx({"sweep", "submit", "grid.toml", "--slurm", "--separate", "--shared"}).err ==
        "error: --separate and --shared exclude each other\n");
}
