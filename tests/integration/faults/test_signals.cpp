// Signals in every phase of a run, with real processes.

#include <csignal>
#include <thread>

#include "tests/integration/faults/pty.h"
#include "tests/integration/faults/small_runs.h"

using namespace bcx;
namespace fs = std::filesystem;

namespace {

std::string exit_reason(const test::SmallRuns& here, const std::string& name) {
  const auto shown = here.bcx({"show", name, "--json"});
  REQUIRE(shown.code == 0);
  return nlohmann::json::parse(shown.out).at("attempt_history").back().at("exit_reason");
}

/// Sends `signal` when the progress bar of a phase is first seen.
void require_stop_in(const test::SmallRuns& here, const std::string& name,
                     const std::vector<std::string>& more, const std::vector<std::string>& seen,
                     int signal, const std::string& reason) {
  INFO(name);
  std::vector<std::string> arguments{"run", "small.toml", "--name", name};
  arguments.insert(arguments.end(), more.begin(), more.end());
  test::TerminalProcess process(here.command(arguments), here.path());
  for (const auto& text : seen) {
    INFO(process.said());
    REQUIRE(process.says(text));
  }
  process.signal(signal);
  CHECK(process.wait() == 75);
  INFO(process.said());
  CHECK(here.run_named(name).at("status") == "stopped");
  CHECK(exit_reason(here, name).find(reason) != std::string::npos);
}

}  // namespace

TEST_CASE("SIGINT and SIGTERM end every phase in order, and the run can be had to its end") {
  const test::SmallRuns here;
  // Many pictures, so that decoding takes a while.
  const auto many = here.path() / "many";
  int number = 0;
  for (const auto& entry : fs::recursive_directory_iterator(here.path() / "demo"))
    if (entry.path().extension() == ".png") {
      const bool benign = entry.path().filename().string().starts_with("SOB_B");
      const auto folder = many / (benign ? "benign" : "malignant");
      fs::create_directories(folder);
      for (int copy = 0; copy < 40; ++copy)
        fs::create_hard_link(entry.path(), folder / (std::to_string(++number) + ".png"));
    }
  require_stop_in(here, "decode",
                  {"--set", "data.source=folders", "--set", "data.root=" + many.string(), "--set",
                   "data.split.by=image"},
                  {"decode   "}, SIGTERM, "stopped by signal 15 while ");
  require_stop_in(here, "precision",
                  {"--set", "train.precision=auto", "--set", "model.backbone=resnet18", "--set",
                   "data.image_size=128", "--set", "train.batch_size=32"},
                  {"model    "}, SIGINT, "stopped by signal 2 while timing precisions");
  require_stop_in(here, "training", {}, {"epoch  2/3"}, SIGINT, "signal 2");
  require_stop_in(here, "validation", {"--set", "evaluate.batch_size=1"},
                  {"epoch  1/3", "val      "}, SIGTERM, "signal 15");
  require_stop_in(here, "final", {"--set", "evaluate.tta=100", "--set", "train.epochs=2"},
                  {"evaluating the best checkpoint"}, SIGTERM,
                  "stopped by signal 15 while evaluating");

  for (const char* name : {"training", "validation", "final"}) {
    INFO(name);
    const auto done = here.bcx({"resume", name});
    INFO(done.err);
    CHECK(done.code == 0);
  }
  // Without a checkpoint the run begins anew, which `--resume` does by itself.
  const auto again = here.bcx({"run", "small.toml", "--name", "precision", "--resume", "--quiet"});
  INFO(again.err);
  CHECK(again.code == 0);
}

TEST_CASE("a stop in validation takes effect there, and a resume validates anew") {
  const test::SmallRuns here;
  const int last = GENERATE(3, 2);  // epoch; the second is the one whose validation is stopped
  const auto trouble = [&](const std::string& what) {
    return here.with(what, "[[callback]]\nname = \"trouble\"\nwhat = \"" + what +
                               "\"\nstep = " + std::to_string(last) + "\n");
  };
  const std::vector<std::string> fixtures{"--plugin-path",
                                          (test::build_dir() / "tests/fault_fixtures").string()};
  REQUIRE(here.run_file(trouble("ask"), "whole", fixtures).code == 0);
  const auto stopped = here.run_file(trouble("ask_and_stop"), "stopped", fixtures);
  INFO(stopped.err);
  REQUIRE(stopped.code == 75);
  CHECK(exit_reason(here, "stopped") == "signal 15");
  CHECK(here.newest_checkpoint("stopped").filename().string().ends_with("-validating.safetensors"));

  const auto done = here.bcx({"resume", "stopped", "--quiet", fixtures[0], fixtures[1]});
  INFO(done.err);
  CHECK(done.code == 0);
  here.require_same_as_whole("stopped");
  std::map<std::string, int> files;
  for (const char* run : {"whole", "stopped"})
    for (const auto& file : here.checkpoints(run)) ++files[file.filename().string()];
  CHECK(files["asked-1.safetensors"] == 2);
  CHECK(files["asked-2.safetensors"] == (last == 3 ? 2 : 0));
  CHECK(files["asked-0.safetensors"] == 0);
}

TEST_CASE("a batch system's warnings: SIGUSR2 and SIGXCPU stop, SIGUSR1 saves and goes on") {
  const test::SmallRuns here;
  here.run_whole();
  for (const int number : {SIGUSR2, SIGXCPU}) {
    const std::string name = "warned" + std::to_string(number);
    test::Process process(here.command({"run", "small.toml", "--name", name}), here.path(),
                          here.path());
    REQUIRE(process.says("epoch 1/3"));
    process.signal(number);
    CHECK(process.wait().code == 75);
    CHECK(here.bcx({"resume", name, "--quiet"}).code == 0);
    here.require_same_as_whole(name);
  }
  test::Process process(here.command({"run", "small.toml", "--name", "saved"}), here.path(),
                        here.path());
  REQUIRE(process.says("device   "));
  process.signal(SIGUSR1);
  REQUIRE(process.says("(SIGUSR1)"));
  const auto done = process.wait();
  INFO(done.err);
  CHECK(done.code == 0);
  here.require_same_as_whole("saved");
}

TEST_CASE("a stop that comes twice at once is one; the second a moment later leaves at once") {
  const test::SmallRuns here;
  here.run_whole();
  test::Process twice(here.command({"run", "small.toml", "--name", "twice"}), here.path(),
                      here.path());
  REQUIRE(twice.says("epoch 1/3"));
  twice.signal(SIGTERM);  // as `timeout` does: to the process, then to its group
  twice.signal(SIGTERM);
  CHECK(twice.wait().code == 75);
  CHECK(here.run_named("twice").at("status") == "stopped");
  CHECK(here.bcx({"resume", "twice", "--quiet"}).code == 0);
  here.require_same_as_whole("twice");

  // In the midst of a step that takes a minute.
  const auto file = here.with("slow", "[[callback]]\nname = \"trouble\"\nwhat = \"wait\"\n");
  test::Process slow(here.command({"run", file, "--name", "impatient", "--plugin-path",
                                   (test::build_dir() / "tests/fault_fixtures").string()}),
                     here.path(), here.path());
  REQUIRE(slow.says("waiting"));
  slow.signal(SIGTERM);
  std::this_thread::sleep_for(std::chrono::milliseconds(700));
  slow.signal(SIGTERM);
  CHECK(slow.wait().code == 75);
  CHECK(here.run_named("impatient").at("status") == "crashed");
}

TEST_CASE("when the terminal goes away, a run stops and saves, unless it was started with nohup") {
  const test::SmallRuns here;
  here.run_whole();
  test::TerminalProcess lost(here.command({"run", "small.toml", "--name", "lost"}), here.path());
  REQUIRE(lost.says("epoch  2/3"));
  lost.hang_up();
  lost.signal(SIGHUP);  // the shell says so, too
  CHECK(lost.wait() == 75);
  CHECK(here.run_named("lost").at("status") == "stopped");
  CHECK(exit_reason(here, "lost") == "signal 1");
  CHECK(here.bcx({"resume", "lost", "--quiet"}).code == 0);
  here.require_same_as_whole("lost");

  test::TerminalProcess kept(here.command({"run", "small.toml", "--name", "kept"}), here.path(),
                             /*ignores_hangup=*/true);
  REQUIRE(kept.says("epoch  1/3"));
  kept.hang_up();
  CHECK(kept.wait() == 0);
  here.require_same_as_whole("kept");
}
