// What a resume must leave alone: a run that it refuses, and the end that a callback decided on.

#include <nlohmann/json.hpp>

#include "tests/catch.h"
#include "tests/process.h"

using namespace bcx;
namespace fs = std::filesystem;
using test::Outcome;

namespace {

/// Demo data and an experiment that stops itself after its second epoch.
class Workplace {
 public:
  Workplace() {
    setenv("XDG_CACHE_HOME", (folder_ / "cache").c_str(), 1);
    unsetenv("BCX_TRACKER");
    unsetenv("BCX_DATA");
    REQUIRE(bcx({"data", "demo", "demo", "--images", "48", "--patients", "6"}).code == 0);
    std::ofstream(folder_ / "short.toml") << R"(
[experiment]
name = "short"
[data]
source = "breakhis"
root = "demo"
image_size = 32
[model]
backbone = "resnet18"
weights = "none"
[[augmentation]]
name = "flip"
horizontal = 0.5
[optimizer]
name = "sgd"
learning_rate = 1e-3
[train]
epochs = 50
device = "cpu"
precision = "fp32"
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
  }

  std::vector<std::string> command(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), (test::build_dir() / "bin/bcx").string());
    return arguments;
  }
  Outcome bcx(const std::vector<std::string>& arguments) const {
    return test::run_process(command(arguments), path(), path());
  }
  nlohmann::json shown() const {
    const auto done = bcx({"show", "@last", "--json"});
    INFO(done.err);
    REQUIRE(done.code == 0);
    return nlohmann::json::parse(done.out);
  }
  const fs::path& path() const { return folder_.path(); }

 private:
  test::TemporaryFolder folder_;
};

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
}
