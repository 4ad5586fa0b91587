// `bcx runs | show | log | curve` as a person or a program calls them.
#include <sys/wait.h>

#include <array>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/text.h"
#include "child.h"
#include "description.h"
#include "tests/catch.h"
#include "tests/process.h"
#include "tracker/reader.h"
#include "tracker/run_writer.h"
#include "tracker/schema.h"

using namespace bcx::tracker;
using namespace bcx::test;

namespace {

struct Result {
  int code = -1;
  std::string out;  // with stderr behind it when asked
};

Result bcx_command(const std::string& arguments, bool errors = false) {
  const std::string line = "COLUMNS=100 TZ=UTC '" + (build_dir() / "bin/bcx").string() + "' " +
                           arguments + (errors ? " 2>&1" : " 2>/dev/null");
  FILE* pipe = popen(line.c_str(), "r");
  Result result;
  std::array<char, 4096> buffer;
  while (const auto got = fread(buffer.data(), 1, buffer.size(), pipe))
    result.out.append(buffer.data(), got);
  result.code = WEXITSTATUS(pclose(pipe));
  return result;
}

struct TwoRuns {
  TwoRuns() {
    auto first = RunWriter::create(path, description("densenet201"));
    const auto loss = first->key("train.loss");
    for (int step = 1; step <= 40; ++step) first->metric(loss, step, step / 20.0, 1.0 / step);
    first->epoch_metrics(1, 20, {{"val.auc", 0.8}, {"val.loss", 0.6}});
    first->epoch_metrics(2, 40, {{"val.auc", 0.9}, {"val.loss", std::nan("")}});
    first->stamp("LEAKY", "12 groups are on both sides");
    first->event(Level::info, "epoch 1 done");
    first->event(Level::warning, "not a number at step 31");
    first->finish(Status::finished, "");
    ids.push_back(first->id());
    auto second = RunWriter::create(path, description("hostile \x1b[2J name"));
    second->epoch_metrics(1, 20, {{"val.auc", 0.7}, {"test.auc", 0.6}});
    ids.push_back(second->id());  // never finished: crashed
  }
  std::string tracker() const { return " --tracker '" + path.string() + "'"; }
  TemporaryFolder folder;
  std::filesystem::path path = folder / "bcx.db";
  std::vector<std::string> ids;
};

}  // namespace

TEST_CASE("bcx runs: a table, sorted, limited, with chosen columns") {
  TwoRuns t;
  auto result = bcx_command("runs" + t.tracker());
  CHECK(result.code == 0);
  CHECK(result.out.find("densenet201") != std::string::npos);
  CHECK(result.out.find("LEAKY") != std::string::npos);
  CHECK(result.out.find("crashed") != std::string::npos);
  CHECK(result.out.find("hostile \\x1b[2J name") != std::string::npos);
  CHECK(result.out.find('\x1b') == std::string::npos);

  CHECK(bcx_command("runs --columns name,learning_rate,'best(val.auc)' --sort val.auc --csv" +
                    t.tracker())
            .out ==
        "name,optimizer.learning_rate,best(val.auc)\ndensenet201,0.0001,0.9\n"
        "hostile \x1b[2J name,0.0001,0.7\n");
  CHECK(bcx_command("runs --columns name,status --sort=-name --limit 1 --md" + t.tracker()).out ==
        "| name | status |\n| --- | --- |\n| hostile \\x1b[2J name | crashed |\n");
  CHECK(bcx_command("runs --limit 1" + t.tracker(), true).out.find("1 of 2 runs") !=
        std::string::npos);
  CHECK(
      bcx_command("runs --sort test.auc" + t.tracker(), true)
          .out.find("note: sorted by test.auc: a run that is chosen by the test set needs another "
                    "one to be judged by") != std::string::npos);
  result = bcx_command("runs --sort val.acu" + t.tracker(), true);
  CHECK(result.code == 2);
  CHECK(result.out ==
        "error: no run has a column, parameter or metric \"val.acu\"; did you mean \"val.auc\"?\n");
}

TEST_CASE("bcx runs --json holds what programs need") {
  TwoRuns t;
  const auto json = nlohmann::json::parse(bcx_command("runs --json" + t.tracker()).out);
  REQUIRE(json.size() == 2);
  const auto& run = json[1];
  CHECK(run["id"] == t.ids[0]);
  CHECK(run["name"] == "densenet201");
  CHECK(run["status"] == "finished");
  CHECK(run["stamps"] == nlohmann::json::array({"LEAKY"}));
  CHECK(run["params"]["train.batch_size"] == 16);
  CHECK(run["params"]["data.split.stratify"] == true);
  CHECK(run["params"]["data.magnifications"] == nlohmann::json::array({40, 100}));
  CHECK(run["metrics"]["val.auc"] == 0.9);
  CHECK(run["metrics"]["val.loss"].is_null());
  CHECK(run["best"]["val.loss"] == 0.6);
  CHECK(json[0]["status"] == "crashed");
}

TEST_CASE("bcx show, log and curve") {
  TwoRuns t;
  auto result = bcx_command("show densenet201" + t.tracker());
  CHECK(result.code == 0);
  for (const char* text : {"densenet201  ", "finished  LEAKY", "12 groups are on both sides",
                           "optimizer.learning_rate", "val.auc", "0.9", "bcx run experiments"})
    CHECK(result.out.find(text) != std::string::npos);
  const auto json =
      nlohmann::json::parse(bcx_command("show @best:val.auc --json" + t.tracker()).out);
  CHECK(json["id"] == t.ids[0]);
  CHECK(json["attempt_history"].size() == 1);
  CHECK(json["origins"]["optimizer.name"] == "densenet201.toml:11:3");

  result = bcx_command("log densenet201" + t.tracker());
  CHECK(result.out.find("  epoch 1 done\n") != std::string::npos);
  CHECK(result.out.find("  warning: not a number at step 31\n") != std::string::npos);
  CHECK(nlohmann::json::parse(bcx_command("log densenet201 --json" + t.tracker()).out).size() == 2);

  result = bcx_command("curve densenet201 train.loss" + t.tracker());
  CHECK(result.out.find("┤") != std::string::npos);
  CHECK(result.out.find("40 points; last 0.025; min 0.025 at step 40; max 1 at step 1") !=
        std::string::npos);
  const auto points = nlohmann::json::parse(
      bcx_command("curve densenet201 loss --json" + t.tracker(), true).out, nullptr, false);
  CHECK(points.is_discarded());  // val.loss or train.loss?
  CHECK(nlohmann::json::parse(
            bcx_command("curve densenet201 auc --json" + t.tracker()).out)["points"][1]["value"] ==
        0.9);
  result = bcx_command("curve densenet201 val.acu" + t.tracker(), true);
  CHECK(result.code == 2);
  CHECK(result.out ==
        "error: run densenet201 has no metric \"val.acu\", and no run has that name; did you mean "
        "\"val.auc\"?\n");
}

TEST_CASE("bcx curve: several runs and metrics, and pictures") {
  TwoRuns t;
  const auto other = " " + t.ids[1].substr(28);
  auto result = bcx_command("curve densenet201" + other + " val.auc loss" + t.tracker(), true);
  CHECK(result.out ==
        "error: \"loss\" may be several metrics: train.loss, val.loss; write it in full\n");
  result =
      bcx_command("curve densenet201" + other + " val.auc val.loss --height 5" + t.tracker(), true);
  CHECK(result.code == 0);
  for (const std::string& text :
       {"note: hostile \\x1b[2J name (" + t.ids[1].substr(28) + ") has no val.loss\n",
        "● val.auc  densenet201 (" + t.ids[0].substr(28) + ")  LEAKY\n",
        "× val.auc  hostile \\x1b[2J name (" + t.ids[1].substr(28) + ")\n",
        std::string("+ val.loss  densenet201"),
        std::string("● 2 points; last 0.9; min 0.8 at step 20; max 0.9 at step 40\n")})
    CHECK(result.out.find(text) != std::string::npos);
  const auto json = nlohmann::json::parse(
      bcx_command("curve densenet201" + other + " val.auc --json" + t.tracker()).out);
  REQUIRE(json.size() == 2);
  CHECK(json[0]["points"][1]["value"] == 0.9);
  CHECK(json[1]["run"] == t.ids[1]);

  for (const std::string name : {"a.svg", "a.html"}) {
    const auto file = (t.folder / name).string();
    CHECK(
        bcx_command(
            "curve densenet201" + other + " val.auc --log --out '" + file + "'" + t.tracker(), true)
            .out == "wrote " + file + "\n");
    CHECK(slurp(file).find(">val.auc  hostile \\x1b[2J name (") != std::string::npos);
  }
  const auto error = [&](const std::string& words) {
    const auto said = bcx_command("curve " + words + t.tracker(), true);
    CHECK(said.code == 2);
    return said.out;
  };
  CHECK(error("densenet201 val.auc --out a.png") ==
        "error: --out: \"a.png\" is no picture's name; end it in .svg or .html\n");
  CHECK(error("densenet201") == "error: which metric?; there are train.loss, val.auc, val.loss\n");
  CHECK(error("densenet201" + other + " xyz") ==
        "error: none of the 2 runs has a metric \"xyz\", and no run has that name; there are "
        "test.auc, train.loss, val.auc, val.loss\n");
  CHECK(error("nobody val.auc").find("no run has the id or name \"nobody\"") != std::string::npos);
}

TEST_CASE("without a tracker: no runs yet, and what to do") {
  TemporaryFolder folder;
  const auto path = (folder / "none.db").string();
  auto result = bcx_command("runs --tracker " + path, true);
  CHECK(result.code == 0);
  CHECK(result.out == "no runs yet: " + path +
                          " is not there. `bcx run FILE` makes it; --tracker DB names another.\n");
  CHECK(bcx_command("runs --json --tracker " + path).out == "[]\n");
  result = bcx_command("show @last --tracker " + path, true);
  CHECK(result.code == 2);
  CHECK(result.out ==
        "error: " + path +
            ": there is no tracker here yet; `bcx run FILE` makes it; --tracker DB or "
            "BCX_TRACKER names another\n");
}

TEST_CASE("help has an example for every command") {
  for (const char* command :
       {"runs", "show", "log", "curve", "tag", "note", "name", "rm", "gc", "export", "merge",
        "watch", "import mlflow", "import tensorboard", "bench tracker", "doctor"}) {
    const auto result = bcx_command(std::string(command) + " --help");
    CHECK(result.code == 0);
    CHECK(result.out.find(std::string("Example:\n  bcx ") + command) != std::string::npos);
  }
}

TEST_CASE("bcx tag, note, name, rm and gc") {
  TwoRuns t;
  CHECK(bcx_command("tag densenet201 +final -paper extra" + t.tracker()).out ==
        "densenet201 (" + t.ids[0].substr(28) + "): breakhis, extra, final\n");
  CHECK(bcx_command("note densenet201 'second line'" + t.tracker()).code == 0);
  CHECK(Reader(t.path).run(t.ids[0]).notes == "first try\nsecond line");
  CHECK(bcx_command("name densenet201 baseline" + t.tracker()).code == 0);
  CHECK(bcx_command("rm baseline" + t.tracker()).out ==
        "baseline (" + t.ids[0].substr(28) + ") is in the trash\n");
  CHECK(Reader(t.path).run_count() == 1);
  CHECK(bcx_command("rm --list" + t.tracker()).out.find("baseline") != std::string::npos);
  CHECK(bcx_command("rm --undo baseline" + t.tracker()).code == 0);
  CHECK(Reader(t.path).run_count() == 2);
  CHECK(bcx_command("gc" + t.tracker(), true).out ==
        "0 files, 0 B could be removed: --yes does it\n");
}

TEST_CASE("bcx watch follows a living run and leaves as the run did") {
  struct End {
    Status status;
    const char *reason, *said;
    int code;
  };
  const auto end = GENERATE(End{Status::finished, "", " finished\n", 0},
                            End{Status::stopped, "by SIGTERM", " stopped: by SIGTERM\n", 75},
                            End{Status::failed, "no memory", " failed: no memory\n", 1},
                            End{Status::running, "", " crashed: last message: hot\n", 1});
  TemporaryFolder folder;
  const auto path = folder / "bcx.db";
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const pid_t child = start_child([&]() -> int {
    auto run = RunWriter::create(path, description("living"));
    run->event(Level::warning, "hot");
    run->epoch_metrics(1, 10, {{"val.auc", 0.5}});
    if (write(ends[1], "x", 1) != 1) return 1;
    std::this_thread::sleep_for(std::chrono::milliseconds(400));
    run->epoch_metrics(2, 20, {{"val.auc", 0.75}, {"val.loss", 0.25}});
    run->flush();
    if (end.status == Status::running) kill(getpid(), SIGKILL);
    run->finish(end.status, end.reason);
    return 0;
  });
  char sign = 0;
  REQUIRE(read(ends[0], &sign, 1) == 1);
  const auto result = run_process({(build_dir() / "bin/bcx").string(), "watch", "living", "--every",
                                   "0.1", "--tracker", path.string()},
                                  folder.path());
  wait_for(child);
  close(ends[0]);
  close(ends[1]);
  CHECK(result.code == end.code);
  CHECK(result.err.empty());
  CHECK(result.out == std::string("epoch 1  step 10  val.auc 0.5\n"
                                  "epoch 2  step 20  val.auc 0.75  val.loss 0.25\nliving") +
                          end.said);
}

TEST_CASE("bcx watch that is stopped says so by its exit code") {
  TemporaryFolder folder;
  const auto path = folder / "bcx.db";
  const auto run = RunWriter::create(path, description("living"));
  run->epoch_metrics(1, 10, {{"val.auc", 0.5}});
  Process watch({(build_dir() / "bin/bcx").string(), "watch", "@last", "--tracker", path.string()},
                folder.path());
  while (watch.out().empty()) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  watch.signal(SIGINT);
  const auto result = watch.wait();
  CHECK(result.code == 75);
  CHECK(result.out == "epoch 1  step 10  val.auc 0.5\n");
}

TEST_CASE("bcx export, merge and import; bcx watch ends with the run") {
  TwoRuns t;
  const auto file = (t.folder / "x.bcxrun").string(), other = (t.folder / "b/bcx.db").string();
  CHECK(bcx_command("export densenet201 '" + file + "'" + t.tracker()).code == 0);
  CHECK(bcx_command("merge '" + file + "' --tracker '" + other + "'").out ==
        t.ids[0].substr(28) + "  densenet201  added\n");
  CHECK(Reader(other).run(t.ids[0]).status == "finished");
  const auto logs = (t.folder / "logs").string();
  CHECK(bcx_command("export --tensorboard '" + logs + "' densenet201" + t.tracker()).code == 0);
  CHECK(bcx_command("import tensorboard '" + logs + "' --tracker '" + other + "'").code == 0);
  CHECK(Reader(other).run_count() == 2);
  CHECK(bcx_command("watch densenet201" + t.tracker()).out ==
        "epoch 1  step 20  val.auc 0.8  val.loss 0.6\n"
        "epoch 2  step 40  val.auc 0.9  val.loss nan\ndensenet201 finished\n");
}

TEST_CASE(
    "bcx doctor finds nothing wrong with a good tracker, and says what is wrong with a bad one") {
  TwoRuns t;
  const auto verdicts = [](const Result& result, const std::string& topic) {
    std::string out;
    for (const auto& one : nlohmann::json::parse(result.out))
      if (one["topic"] == topic)
        out += one["verdict"].get<std::string>() + ": " + one["text"].get<std::string>() + "\n";
    return out;
  };
  auto result = bcx_command("doctor --json" + t.tracker());
  CHECK(verdicts(result, "tracker") == "ok: " + t.path.string() + ", " +
                                           bcx::human_bytes(std::filesystem::file_size(t.path)) +
                                           ", schema " + std::to_string(latest_version()) +
                                           "\nok: every page and every key is sound\n");
  CHECK(verdicts(result, "runs") ==
        "ok: 2, and 0 in the trash\nnote: 1 crashed: bcx runs 'status = \"crashed\"'\n");
  CHECK_FALSE(verdicts(result, "plugins").empty());

  {
    std::fstream file(t.path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(3 * 4096);
    file << std::string(8192, 'x');
  }
  result = bcx_command("doctor --json" + t.tracker());
  CHECK(result.code == 1);
  CHECK(verdicts(result, "tracker").find("problem: damaged: ") != std::string::npos);
}

TEST_CASE("completion knows commands, options and plain names of runs") {
  TwoRuns t;
  const auto script = (t.folder / "bcx.bash").string();
  CHECK(bcx_command("completion bash > '" + script + "'").code == 0);
  const auto complete = [&](const std::string& words, int at) {
    const auto line = "source '" + script + "'; BCX_TRACKER='" + t.path.string() + "' PATH='" +
                      (build_dir() / "bin").string() + "':$PATH; export BCX_TRACKER; COMP_WORDS=(" +
                      words + "); COMP_CWORD=" + std::to_string(at) +
                      "; _bcx; printf '%s ' \"${COMPREPLY[@]}\"";
    return run_process({"/bin/bash", "-c", line}, t.folder.path()).out;
  };
  CHECK(complete("bcx wat", 1) == "watch ");
  CHECK(complete("bcx plugins ''", 2).starts_with("list show "));
  CHECK(complete("bcx curve --he", 2) == "--help --help-all --height ");
  CHECK(complete("bcx import mlflow --tr", 3) == "--tracker ");
  CHECK(complete("bcx show dense", 2) == "densenet201 ");
  CHECK(complete("bcx show ''", 2) == "@last densenet201 ");  // the hostile name is left out
  CHECK(bcx_command("completion fish")
            .out.find("complete -c bcx -n '__fish_seen_subcommand_from curve' -l log -d "
                      "'Logarithmic values'") != std::string::npos);
  CHECK(bcx_command("completion zsh").out.starts_with("autoload -U +X bashcompinit"));
}
