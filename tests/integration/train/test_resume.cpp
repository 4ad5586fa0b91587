// What a resume must leave alone: a run that it refuses, and the end that a callback decided on;
// and what it must take up: the state of every callback.

#include <csignal>
#include <set>

#include "tests/integration/train/workplace.h"
#include "tools/docs/source_catalog.h"

using namespace bcx;
namespace fs = std::filesystem;

namespace {

/// An experiment that stops itself after its second epoch.
constexpr const char* short_experiment = R"(
extends = ["demo.toml"]
[model]
backbone = "resnet18"
[[augmentation]]
name = "flip"
horizontal = 0.5
[optimizer]
name = "sgd"
learning_rate = 1e-3
[train]
epochs = 50
[[callback]]
name = "checkpoint"
monitor = "val.loss"
mode = "min"
[[callback]]
name = "early_stopping"
monitor = "val.loss"
mode = "min"
min_delta = 100.0
patience = 1
)";

struct Workplace : test::RunWorkplace {
  Workplace() : test::RunWorkplace("short", short_experiment, 48, 6) {}
};

constexpr const char* three_epochs = R"(
extends = ["demo.toml"]
[experiment]
name = "three"
[model]
backbone = "resnet18"
[[augmentation]]
name = "flip"
horizontal = 0.5
[optimizer]
name = "adamw"
learning_rate = 1e-3
head_multiplier = 3.0
no_decay = "norm_and_bias"
[train]
epochs = 3
batch_size = 8
)";

struct Larger : test::RunWorkplace {
  Larger() : test::RunWorkplace("three", three_epochs, 72, 9) {}
};

/// Every callback of the catalog, but those that cannot stand beside one another.
constexpr const char* watching = R"(
[[callback]]
name = "gradient_statistics"
layers = true
[[callback]]
name = "checkpoint"
monitor = "grad_norm.mean"
mode = "min"
top_k = 2
keep_every = 2
[[callback]]
name = "checkpoint"
monitor = "val.loss"
mode = "min"
tag = "best_loss"
[[callback]]
name = "early_stopping"
patience = 50
[[callback]]
name = "reduce_lr_on_plateau"
monitor = "val.loss"
mode = "min"
min_delta = 100.0
patience = 1
[[callback]]
name = "ema"
decay = 0.9
[[callback]]
name = "batch_size_schedule"
epochs = [1, 2]
batch_sizes = [6, 12]
[[callback]]
name = "csv_log"
[[callback]]
name = "progress"
seconds = 0.1
[[callback]]
name = "terminate_on_nan"
[[callback]]
name = "time_limit"
minutes = 600.0
)";

constexpr const char* unfreezing = R"(
[[callback]]
name = "swa"
start_epoch = 1
learning_rate = 2e-3
[[callback]]
name = "unfreeze"
stages = ["backbone.*", "backbone.conv1.* backbone.bn1.*", ""]
epochs = [1, 2]
)";

/// Cuts a run short in its second epoch and goes on; the end is that of a run in one piece.
void require_same_end(const test::RunWorkplace& here, const std::string& file) {
  const auto whole = here.bcx({"run", file, "--name", "whole"});
  INFO(whole.err);
  REQUIRE(whole.code == 0);
  test::Process stopped(here.command({"run", file, "--name", "stopped"}), here.path(), here.path());
  REQUIRE(stopped.says("epoch 1/3"));
  stopped.signal(SIGTERM);
  const auto first = stopped.wait();
  INFO(first.err);
  REQUIRE(first.code == 75);
  const auto second = here.bcx({"resume", "stopped"});
  INFO(second.err);
  REQUIRE(second.code == 0);
  test::require_same_tensors(here.newest_checkpoint("whole"), here.newest_checkpoint("stopped"));
  CHECK(test::results(here.run_named("whole")) == test::results(here.run_named("stopped")));
  const auto names = [&](const char* run) {
    std::set<std::string> all;
    for (const auto& path : here.checkpoints(run)) all.insert(path.filename().string());
    return all;
  };
  auto kept = names("stopped");
  // The stop itself made a "last" one, which pushed an older one out.
  std::erase_if(kept, [](const std::string& name) { return name.starts_with("last-"); });
  auto expected = names("whole");
  std::erase_if(expected, [](const std::string& name) { return name.starts_with("last-"); });
  CHECK(kept == expected);
}

}  // namespace

TEST_CASE("a run that a callback ended trains no further after a stop in its last evaluation") {
  const Workplace here;
  // Many views, so that the evaluation is still under way when the signal comes.
  test::Process stopped(here.command({"run", "short.toml", "--set", "evaluate.tta=60"}),
                        here.path(), here.path());
  REQUIRE(stopped.says("evaluating the best checkpoint"));
  stopped.signal(SIGTERM);
  const auto first = stopped.wait();
  INFO(first.err);
  REQUIRE(first.code == 75);
  CHECK(first.err.find("Go on with: bcx resume") != std::string::npos);

  const auto second = here.bcx({"resume", "@last"});
  INFO(second.err);
  CHECK(second.code == 0);
  CHECK(second.err.find(" 3/50") == std::string::npos);
  const auto run = here.shown();
  CHECK(run.at("status") == "finished");
  CHECK(run.at("attempt_history")
            .back()
            .at("exit_reason")
            .get<std::string>()
            .starts_with("early_stopping: "));
}

TEST_CASE("a refused resume leaves the run as it was; a fixed threshold needs no validation part") {
  const Workplace here;
  const auto done = here.bcx({"run", "short.toml", "--set", "train.epochs=1", "--set",
                              "data.split.validation=0.0", "--set", "evaluate.threshold=0.9"});
  INFO(done.err);
  REQUIRE(done.code == 0);
  const auto before = here.shown();
  CHECK(before.at("status") == "finished");
  REQUIRE(before.at("evaluations").size() == 1);
  CHECK(before.at("evaluations")[0].at("threshold_value") == 0.9);

  const auto refused =
      here.bcx({"resume", "@last", "--quiet", "--set", "optimizer.learning_rate=0.5"});
  CHECK(refused.code == 2);
  CHECK(refused.err ==
        "error: short: cannot go on exactly: another configuration than at the checkpoint; go on "
        "all the same with --force (the run is stamped FORCED)\n");
  const auto after = here.shown();
  CHECK(after.at("status") == "finished");
  CHECK(after.at("attempt_history") == before.at("attempt_history"));
  // --set takes one value: what stands behind it is the run.
  const auto nobody = here.bcx({"resume", "--set", "train.epochs=2", "nobody"});
  CHECK(nobody.err.find("no run has the id or name \"nobody\"") != std::string::npos);
}

TEST_CASE("with any callback, a run stopped and resumed ends with the same bytes") {
  for (const auto& name :
       docs::SourceCatalog(test::source_dir()).names(config::ComponentKind::callback)) {
    INFO(name);
    const std::string line = "name = \"" + name + "\"\n";
    CHECK((std::string(watching) + unfreezing).find(line) != std::string::npos);
  }
  const Larger here;
  here.write("watching.toml", std::string(three_epochs) + watching);
  require_same_end(here, "watching.toml");
  CHECK(fs::exists(here.newest_checkpoint("whole").parent_path() / "epoch-0002.safetensors"));
  CHECK(fs::exists(here.newest_checkpoint("whole").parent_path() / "best_loss.safetensors"));
}

TEST_CASE("stages and averages of epochs go on after a resume") {
  const Larger here;
  here.write("unfreezing.toml", std::string(three_epochs) + unfreezing);
  require_same_end(here, "unfreezing.toml");
}

TEST_CASE("a damaged checkpoint is passed over for the one before it") {
  const Larger here;
  here.write("three.toml", std::string(three_epochs) + "[[callback]]\nname = \"checkpoint\"\n");
  test::Process stopped(here.command({"run", "three.toml"}), here.path(), here.path());
  REQUIRE(
      stopped.says("epoch 2/3"));  // of which the checkpoint may be the one that stopping writes
  stopped.signal(SIGTERM);
  REQUIRE(stopped.wait().code == 75);
  const auto checkpoints = here.last_checkpoints("three");
  REQUIRE(checkpoints.size() >= 2);
  auto bytes = test::slurp(checkpoints.back());
  const auto at = bytes.find("best_tag");
  REQUIRE(at != std::string::npos);
  std::ofstream(checkpoints.back(), std::ios::binary) << bytes.replace(at, 8, "beet_tag");
  const auto resumed = here.bcx({"resume", "@last"});
  INFO(resumed.err);
  CHECK(resumed.code == 0);
  CHECK(
      resumed.err.find("passing over a checkpoint: " + fs::canonical(checkpoints.back()).string() +
                       ": its manifest is damaged: \"best_tag\" is missing or of another type\n") !=
      std::string::npos);
}

TEST_CASE("terminate_on_nan ends a diverged run with its best checkpoint") {
  const Larger here;
  here.write("diverging.toml", std::string(three_epochs) + R"(
[[callback]]
name = "swa"
start_epoch = 1
learning_rate = 1e30
[[callback]]
name = "checkpoint"
[[callback]]
name = "terminate_on_nan"
)");
  const auto done = here.bcx({"run", "diverging.toml"});
  INFO(done.err);
  CHECK(done.code == 0);
  CHECK(done.err.find("stopping: terminate_on_nan: the loss is ") != std::string::npos);
  CHECK(done.err.find("evaluating the best checkpoint, of epoch 1\n") != std::string::npos);
  CHECK(here.run_named("three").at("status") == "finished");
}

TEST_CASE("--max-time ends training after so long, and a later limit goes on") {
  const Larger here;
  const auto stopped = here.bcx({"run", "three.toml", "--max-time", "0.01s"});
  INFO(stopped.err);
  REQUIRE(stopped.code == 0);
  CHECK(stopped.err.find("stopping: time_limit: ") != std::string::npos);
  const auto cut = here.run_named("three");
  CHECK(cut.at("status") == "finished");
  CHECK(cut.at("metrics").contains("test.accuracy"));

  const auto done = here.bcx({"resume", "@last", "--max-time", "10m"});
  INFO(done.err);
  REQUIRE(done.code == 0);
  CHECK(done.err.find("epoch 3/3") != std::string::npos);

  const auto unit = here.bcx({"run", "three.toml", "--max-time", "30"});
  CHECK(unit.code == 2);
  CHECK(unit.err.find("--max-time: Missing mandatory unit") != std::string::npos);
}
