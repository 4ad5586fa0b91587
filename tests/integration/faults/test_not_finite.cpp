// Loss, gradients and weights that are not finite: stop, skip, roll back.

#include "tests/integration/faults/small_runs.h"

using namespace bcx;

namespace {

const std::string fixtures = (test::build_dir() / "tests/fault_fixtures").string();

/// Pictures that spoil a step now and then; the draws are the experiment's, so always the same.
constexpr const char* poisoned = R"(
[[augmentation]]
name = "poison"
share = 0.02
)";

constexpr const char* diverging = "optimizer.learning_rate=1e30";

std::string message_of(const std::string& err, const std::string& begin) {
  const auto at = err.find(begin);
  return at == std::string::npos ? "" : err.substr(at, err.find('\n', at) - at);
}

}  // namespace

TEST_CASE("a loss that is not finite stops the run with step and remedy") {
  const test::SmallRuns here(poisoned);
  const auto done = here.run("stops", {"--plugin-path", fixtures});
  CHECK(done.code == 1);
  CHECK(done.err.starts_with("error: the loss is nan at step "));
  CHECK(done.err.ends_with(
      "; lower optimizer.learning_rate, add a warm-up, or set train.clip_norm\n"));
  CHECK(here.run_named("stops").at("status") == "failed");
}

TEST_CASE("skipped steps leave no trace but their count, and a resume is exact") {
  const test::SmallRuns here(poisoned);
  const std::vector<std::string> skipping{"--plugin-path", fixtures, "--set",
                                          "train.not_finite=skip"};
  const auto done = here.run("whole", skipping);
  INFO(done.err);
  REQUIRE(done.code == 0);
  CHECK(done.err.find(": skipped\n") != std::string::npos);
  const auto metrics = here.run_named("whole").at("metrics");
  CHECK(metrics.contains("train.skipped_steps"));
  CHECK(test::number(metrics.at("train.loss")) < 10);
  CHECK(test::number(metrics.at("val.loss")) < 10);

  std::vector<std::string> command{"run", "small.toml", "--name", "stopped"};
  command.insert(command.end(), skipping.begin(), skipping.end());
  test::Process process(here.command(command), here.path(), here.path());
  REQUIRE(process.says("epoch 1/3"));
  process.signal(SIGTERM);
  REQUIRE(process.wait().code == 75);
  const auto second = here.bcx({"resume", "stopped", "--quiet", "--plugin-path", fixtures});
  INFO(second.err);
  REQUIRE(second.code == 0);
  here.require_same_as_whole("stopped");
}

TEST_CASE("too many skipped steps in a row are an error") {
  const test::SmallRuns here;
  const auto done =
      here.run("never", {"--set", diverging, "--set", "train.clip_norm=0.0", "--set",
                         "train.not_finite=skip", "--set", "train.not_finite_limit=2"});
  CHECK(done.code == 1);
  CHECK(message_of(done.err, "error: ")
            .ends_with(
                ", after 2 skipped steps in a row; lower optimizer.learning_rate, or go back with "
                "train.not_finite = \"roll_back\""));
}

TEST_CASE("a run rolls back to its last good checkpoint until it goes well") {
  const test::SmallRuns here;
  const std::vector<std::string> rolling{"--set", diverging,
                                         "--set", "train.not_finite=roll_back",
                                         "--set", "train.clip_norm=0.0",
                                         "--set", "train.roll_back_factor=1e-16"};
  const auto done = here.run("whole", rolling);
  INFO(done.err);
  REQUIRE(done.code == 0);
  CHECK(done.err.find(": back to step 0, base learning rate 1e+14\n") != std::string::npos);
  CHECK(done.err.find(": back to step 0, base learning rate 0.01\n") != std::string::npos);
  const auto run = here.run_named("whole");
  CHECK(run.at("status") == "finished");
  CHECK(test::number(run.at("metrics").at("train.loss")) < 10);
  // Rows that were undone are hidden, as after a resume.
  CHECK(here.shown().at("attempt_history").size() >= 3);

  const auto never =
      here.run("never", {"--set", diverging, "--set", "train.clip_norm=0.0", "--set",
                         "train.not_finite=roll_back", "--set", "train.not_finite_limit=2", "--set",
                         "train.roll_back_factor=0.5"});
  CHECK(never.code == 1);
  CHECK(message_of(never.err, "error: ")
            .ends_with(", after 2 roll-backs; lower optimizer.learning_rate, add a warm-up, or set "
                       "train.clip_norm"));
}

TEST_CASE("a failed run goes on with another policy") {
  const test::SmallRuns here(poisoned);
  const auto failed =
      here.run("tries", {"--plugin-path", fixtures, "--set", "augmentation.poison.share=0.01"});
  INFO(failed.err);
  if (failed.code == 0) BCX_SKIP("no picture was spoilt");
  REQUIRE(failed.code == 1);
  if (here.checkpoints("tries").empty()) return;
  const auto resumed = here.bcx(
      {"resume", "tries", "--quiet", "--plugin-path", fixtures, "--set", "train.not_finite=skip"});
  INFO(resumed.err);
  CHECK(resumed.code == 0);
}
