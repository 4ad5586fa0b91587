// `bcx sweep` with real processes: what it runs, what it keeps, what becomes of what fails.

#include <algorithm>
#include <set>

#include "workplace.h"

using namespace bcx;
namespace fs = std::filesystem;
using nlohmann::json;
using test::SweepWorkplace;

namespace {

const char* grid = R"(
extends = ["small.toml"]
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

/// A worker that does as the trial's number says, and makes no run.
const char* stub =
    "#!/bin/bash\n"
    "for word in \"$@\"; do\n"
    "  [ \"$before\" = --trial ] && trial=${word##*:}\n"
    "  before=$word\n"
    "done\n"
    "echo \"$trial\" >> stub.log\n"
    "case $trial in\n"
    "  0) echo 'error: out of memory; lower train.batch_size' >&2; exit 5 ;;\n"
    "  1) kill -KILL $$ ;;\n"
    "  2) echo 'error: the loss is nan at step 3 (epoch 1)' >&2; exit 1 ;;\n"
    "  *) exec sleep 60 ;;\n"
    "esac\n";

}  // namespace

TEST_CASE("a grid is run once, its trials keep off the test part, and it is shown") {
  const SweepWorkplace here;
  here.write("grid.toml", grid);
  const auto done = here.bcx({"sweep", "run", "grid.toml", "--jobs", "2"});
  INFO(done.err);
  REQUIRE(done.code == 0);
  CHECK(done.err.find("sweep grid: grid, 4 trials of 3 epochs, by lowest val.loss; 2 at a time") !=
        std::string::npos);
  const auto values = here.values();
  CHECK(values.size() == 4);
  const auto runs = here.ask({"runs", "--json"});
  CHECK(runs.size() == 4);
  CHECK(here.ask({"sql", "--json", "SELECT count(*) AS n FROM evaluation WHERE part='test'"})[0].at(
            "n") == 0);
  // The same command again has nothing to do.
  REQUIRE(here.bcx({"sweep", "run", "grid.toml"}).code == 0);
  CHECK(here.ask({"runs", "--json"}).size() == 4);
  CHECK(here.values() == values);
  // A trial is the run that a person would have started.
  const auto alone = here.ask({"run", "small.toml", "--json", "--set", "train.batch_size=4",
                               "--set", "optimizer.learning_rate=0.1"});
  const auto best = here.ask({"sql", "--json",
                              "SELECT best FROM v_best WHERE key='val.loss' AND run='" +
                                  alone.at("id").get<std::string>() + "'"});
  CHECK(values.at(R"({"optimizer.learning_rate":0.1,"train.batch_size":4})") ==
        best[0].at("best").get<double>());

  const auto show = here.bcx({"sweep", "show"}).out;
  CHECK(show.find("4 trials: 4 finished") != std::string::npos);
  CHECK(show.find("val.loss over train.batch_size (down) and optimizer.learning_rate (across)") !=
        std::string::npos);
  CHECK(show.find("best so far") != std::string::npos);
  CHECK(here.bcx({"sweep", "best", "grid"}).out.find("the best: bcx run ") != std::string::npos);
  CHECK(here.bcx({"sweep", "status"}).out.find("grid") != std::string::npos);
  CHECK(here.ask({"sweep", "best", "--json"}).size() == 4);
  CHECK(here.bcx({"sweep", "status", "gird"}).err ==
        "error: " + (here.path() / "runs/bcx.db").string() +
            ": no sweep is called \"gird\"; did you mean \"grid\"?\n");

  here.write("grid.toml", std::string(grid) + "when = {}\n[optimizer]\nweight_decay = 0.1\n");
  CHECK(here.bcx({"sweep", "run", "grid.toml", "--dry-run"}).code == 0);
}

TEST_CASE("what a trial's end means: infeasible, tried again, failed with its message") {
  const SweepWorkplace here;
  here.write("grid.toml", grid);
  here.write("stub.sh", stub);
  fs::permissions(here.path() / "stub.sh", fs::perms::owner_all);
  auto& worker = here;
  test::Process process(
      worker.command({"sweep", "run", "grid.toml", "--worker", (here.path() / "stub.sh").string()}),
      here.path(), here.path());
  REQUIRE(process.says("trial   3 begins"));
  process.signal(SIGINT);
  const auto done = process.wait();
  INFO(done.err);
  CHECK(done.code == 75);
  const auto trials = here.trials();
  REQUIRE(trials.size() == 4);
  CHECK(trials[0].at("state") == "infeasible");
  CHECK(trials[0].at("message") == "out of memory");
  CHECK(trials[1].at("state") == "failed");
  CHECK(trials[1].at("message") == "3 attempts, none of which got on: killed by signal 9");
  CHECK(trials[2].at("state") == "failed");
  CHECK(trials[2].at("message") == "the loss is nan at step 3 (epoch 1)");
  const auto log = test::slurp(here.path() / "stub.log");
  CHECK(std::count(log.begin(), log.end(), '1') == 3);
  CHECK(std::count(log.begin(), log.end(), '0') == 1);

  const auto missing = here.bcx({"sweep", "resume", "--worker", "/nowhere/bcx"});
  CHECK(missing.code == 1);
  CHECK(missing.err.find("error: /nowhere/bcx: a trial's process cannot be started; is the program "
                         "there, and executable?") != std::string::npos);

  // Another plan under the same name, while this one is not finished, is a question.
  here.write("grid.toml", std::string(grid) + "[optimizer]\nlearning_rate = 0.5\n");
  const auto other = here.bcx({"sweep", "run", "grid.toml"});
  CHECK(other.code == 2);
  CHECK(other.err.find("is not finished, and its file says something else now; go on as it began: "
                       "bcx sweep resume ") != std::string::npos);
}

TEST_CASE("what does not fit is run again in micro-batches when the file says so") {
  const SweepWorkplace here;
  here.write("grid.toml", R"(
extends = ["small.toml"]
[sweep]
objective = "val.loss"
out_of_memory = "micro_batches"
[[sweep.parameter]]
key = "train.batch_size"
choices = [8]
)");
  here.write("small-only.sh", "#!/bin/bash\ncase \"$*\" in *train.batch_size=2*) exec '" +
                                  (test::build_dir() / "bin/bcx").string() +
                                  "' \"$@\";; esac\necho 'error: out of memory' >&2; exit 5\n");
  fs::permissions(here.path() / "small-only.sh", fs::perms::owner_all);
  const auto done =
      here.bcx({"sweep", "run", "grid.toml", "--worker", (here.path() / "small-only.sh").string()});
  INFO(done.err);
  REQUIRE(done.code == 0);
  const auto run = here.ask({"show", "@last", "--json"});
  CHECK(run.at("params").at("train.batch_size") == 2);
  CHECK(run.at("params").at("train.accumulate") == 4);
  CHECK(run.at("stamps") == json{"MICROBATCHES"});
  CHECK(here.trials()[0].at("state") == "finished");
}

TEST_CASE("Ctrl-C saves the trials, and resume ends as if nothing had been") {
  const SweepWorkplace here;
  here.write("grid.toml", grid);
  REQUIRE(here.bcx({"sweep", "run", "grid.toml", "--quiet"}).code == 0);
  const auto whole = here.values();
  test::Process process(here.command({"sweep", "run", "grid.toml", "--new", "--jobs", "2"}),
                        here.path(), here.path());
  REQUIRE(process.says("trial   2 begins"));
  process.signal(SIGINT);
  const auto stopped = process.wait();
  INFO(stopped.err);
  CHECK(stopped.code == 75);
  CHECK(stopped.err.find("stopped; go on with: bcx sweep resume ") != std::string::npos);
  REQUIRE(here.bcx({"sweep", "resume", "--jobs", "2", "--quiet"}).code == 0);
  CHECK(here.values() == whole);
  // A trial's time is that of all its attempts.
  for (const auto& trial : here.trials()) {
    const auto attempts =
        here.ask({"sql", "--json",
                  "SELECT sum(a.ended - a.started) / 1e6 AS seconds FROM attempt AS a "
                  "JOIN run ON run.id = a.run WHERE run.uuid = '" +
                      trial.at("run").get<std::string>() + "'"})[0];
    CHECK(trial.at("seconds").get<double>() == Approx(attempts.at("seconds").get<double>()));
  }
}

TEST_CASE("a winner is confirmed on fresh seeds, and only then on the test part") {
  const SweepWorkplace here;
  here.write("two.toml", R"(
extends = ["small.toml"]
[sweep]
objective = "val.loss"
seeds = 2
[[sweep.parameter]]
key = "optimizer.learning_rate"
choices = [1e-3, 1e-1]
)");
  const auto done =
      here.ask({"sweep", "run", "two.toml", "--confirm", "2", "--json", "--quiet", "--jobs", "2"});
  CHECK(done.at("ranking").size() == 2);
  std::set<std::int64_t> seeds, fresh;
  for (const auto& trial : done.at("trials"))
    (trial.at("confirms").get<bool>() ? fresh : seeds)
        .insert(trial.at("set").at("experiment.seed").get<std::int64_t>());
  CHECK(seeds == std::set<std::int64_t>{42, 43});
  CHECK(fresh == std::set<std::int64_t>{1042, 1043});
  CHECK(here.ask({"sql", "--json",
                  "SELECT count(DISTINCT run) AS n FROM evaluation WHERE part='test'"})[0]
            .at("n") == 2);
  CHECK(here.ask({"sql", "--json", "SELECT count(DISTINCT split) AS n FROM run"})[0].at("n") == 1);
  // Asked again, it is there.
  REQUIRE(here.bcx({"sweep", "run", "two.toml", "--confirm", "2", "--quiet"}).code == 0);
  CHECK(here.ask({"runs", "--json"}).size() == 6);
}

TEST_CASE("pruned trials keep their checkpoint, and go on exactly") {
  const SweepWorkplace here;
  const std::string file = R"(
extends = ["small.toml"]
[train]
epochs = 4
[sweep]
method = "random"
objective = "val.loss"
trials = 6
[[sweep.parameter]]
key = "optimizer.learning_rate"
log_uniform = [1e-4, 1e-1]
)";
  here.write("asha.toml", file);
  REQUIRE(here.bcx({"sweep", "run", "asha.toml", "--set", "sweep.pruner=asha", "--set",
                    "sweep.reduction=2", "--quiet"})
              .code == 0);
  std::int64_t pruned = 0, finished = 0;
  for (const auto& trial : here.trials()) {
    INFO(trial.dump());
    pruned += trial.at("state") == "pruned";
    finished += trial.at("state") == "finished";
    const auto epochs = trial.at("epochs").get<std::int64_t>();
    CHECK((trial.at("state") == "finished" ? epochs == 4 : epochs == 1 || epochs == 2));
  }
  // Of 6 at the first rung 3 go on, of these 1.
  CHECK(finished == 1);
  CHECK(pruned == 5);

  REQUIRE(here.bcx({"sweep", "extend", "@last", "--top", "6", "--epochs", "5", "--quiet"}).code ==
          0);
  const auto extended = here.values();
  REQUIRE(
      here.bcx({"sweep", "run", "asha.toml", "--new", "--quiet", "--set", "train.epochs=5"}).code ==
      0);
  std::map<std::string, double> whole;
  for (const auto& [set, value] : here.values()) {
    auto j = json::parse(set);
    j["train.epochs"] = 5;
    whole[j.dump()] = value;
  }
  CHECK(extended == whole);
}

TEST_CASE("other engines ask and tell") {
  const SweepWorkplace here;
  here.write("grid.toml", grid);
  REQUIRE(here.bcx({"sweep", "run", "grid.toml", "--jobs", "0"}).code == 0);
  const auto first = here.ask({"sweep", "ask", "grid", "--json"});
  CHECK(first.at("trial") == 0);
  auto command = first.at("command").get<std::vector<std::string>>();
  REQUIRE(test::run_process(command, here.path(), here.path()).code == 0);
  const auto told = here.ask({"sweep", "tell", "grid", "0", "--json"});
  CHECK(told.at("state") == "finished");
  CHECK(told.at("value").is_number());

  const auto chosen = here.ask(
      {"sweep", "ask", "grid", "train.batch_size=8", "optimizer.learning_rate=0.02", "--json"});
  CHECK(chosen.at("state") == "running");
  const auto number = chosen.at("trial").get<int>();
  CHECK(here.ask({"sweep", "tell", "grid", std::to_string(number), "--value", "0.25", "--json"})
            .at("value") == 0.25);
  // The same point again is answered, not run.
  const auto again = here.ask(
      {"sweep", "ask", "grid", "train.batch_size=8", "optimizer.learning_rate=0.02", "--json"});
  CHECK(again.at("state") == "finished");
  CHECK(again.at("value") == 0.25);
  CHECK(here.bcx({"sweep", "ask", "grid", "train.batch_size=5", "optimizer.learning_rate=0.02"})
            .err == "error: 5 is no value of train.batch_size; it takes 4, 8\n");
}

TEST_CASE("Optuna drives a sweep") {
  const SweepWorkplace here;
  if (test::run_process({"/usr/bin/env", "python3", "-c", "import optuna"}, here.path()).code != 0)
    BCX_SKIP("Optuna is not installed (pip install optuna)");
  here.write("grid.toml", grid);
  const std::vector<std::string> drive{"/usr/bin/env",
                                       "python3",
                                       (test::source_dir() / "examples/optuna/drive.py").string(),
                                       "grid.toml",
                                       "--trials",
                                       "3",
                                       "--bcx",
                                       (test::build_dir() / "bin/bcx").string()};
  const auto done = test::run_process(drive, here.path(), here.path());
  INFO(done.err);
  REQUIRE(done.code == 0);
  CHECK(done.out.starts_with("val.loss 0."));
  const auto values = here.values();
  // Its sampler is seeded: the same points again, which are answered and not run.
  REQUIRE(test::run_process(drive, here.path(), here.path()).code == 0);
  CHECK(here.values() == values);
  CHECK(here.ask({"runs", "--json"}).size() == values.size());
}

TEST_CASE("what the kernel kills for its memory is infeasible") {
  const SweepWorkplace here;
  const fs::path group = "/sys/fs/cgroup/memory/bcx-test-" + std::to_string(getpid());
  std::error_code failed;
  if (!fs::exists("/sys/fs/cgroup/memory/memory.limit_in_bytes", failed) ||
      !fs::create_directory(group, failed))
    BCX_SKIP("no memory control group can be made here");
  std::ofstream(group / "memory.limit_in_bytes") << 50'000'000;
  here.write("grid.toml", grid);
  here.write("greedy.sh", "#!/bin/bash\necho $$ > " + (group / "cgroup.procs").string() +
                              "\nexec tail /dev/zero\n");
  fs::permissions(here.path() / "greedy.sh", fs::perms::owner_all);
  const auto done =
      here.bcx({"sweep", "run", "grid.toml", "--worker", (here.path() / "greedy.sh").string()});
  fs::remove(group, failed);
  INFO(done.err);
  REQUIRE(done.code == 0);
  for (const auto& trial : here.trials()) {
    CHECK(trial.at("state") == "infeasible");
    CHECK(trial.at("message") == "out of memory");
  }
}

TEST_CASE("what does not fit beside others runs again when nothing else does") {
  const SweepWorkplace here;
  here.write("grid.toml", grid);
  const auto bcx = (test::build_dir() / "bin/bcx").string();
  here.write("crowded.sh",
             "#!/bin/bash\ncase \"$*\" in\n  *--name\\ grid-0*) touch here; sleep 1; '" + bcx +
                 "' \"$@\"; code=$?; rm here; exit $code ;;\n  *) if [ -e here ]; then echo "
                 "'error: out of memory' >&2; exit 5; fi; exec '" +
                 bcx + "' \"$@\" ;;\nesac\n");
  fs::permissions(here.path() / "crowded.sh", fs::perms::owner_all);
  const auto done = here.bcx({"sweep", "run", "grid.toml", "--jobs", "2", "--worker",
                              (here.path() / "crowded.sh").string()});
  INFO(done.err);
  REQUIRE(done.code == 0);
  CHECK(done.err.find("out of memory beside other trials; again when none runs") !=
        std::string::npos);
  CHECK(here.values().size() == 4);
}

TEST_CASE("trials that begin together decode the images once") {
  const SweepWorkplace here;
  here.write("grid.toml", grid);
  fs::remove_all(here.path() / "cache");
  REQUIRE(here.bcx({"sweep", "run", "grid.toml", "--jobs", "2", "--quiet"}).code == 0);
  int decoded = 0, mapped = 0;
  for (const auto& entry : fs::recursive_directory_iterator(here.path() / "runs/sweeps")) {
    if (entry.path().extension() != ".log") continue;
    const auto log = test::slurp(entry.path());
    (log.find("(from the cache)") == std::string::npos ? decoded : mapped) += 1;
  }
  CHECK(decoded == 1);
  CHECK(mapped == 3);
}
