// `bcx runs | show | log | curve` as a person or a program calls them.
#include <sys/wait.h>

#include <array>
#include <cmath>
#include <cstdio>
#include <limits>
#include <nlohmann/json.hpp>

#include "description.h"
#include "tests/catch.h"
#include "tracker/reader.h"
#include "tracker/run_writer.h"

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
        "error: run densenet201 has no metric \"val.acu\"; did you mean \"val.auc\"?\n");
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
  for (const char* command : {"runs", "show", "log", "curve", "tag", "note", "name", "rm", "gc",
                              "export", "merge", "watch", "import mlflow", "import tensorboard"}) {
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
