// `bcx verify`: exact for an experiment that is, and able to say no.

#include "tests/integration/faults/small_runs.h"

using namespace bcx;
namespace fs = std::filesystem;

TEST_CASE("bcx verify proves an experiment and a run, and leaves nothing behind") {
  const test::SmallRuns here;
  const test::TemporaryFolder temporary;
  setenv("TMPDIR", temporary.path().c_str(), 1);
  const auto done = here.bcx({"verify", "small.toml", "--seed", "7"});
  unsetenv("TMPDIR");
  INFO(done.err << done.out);
  CHECK(done.code == 0);
  CHECK(done.out.starts_with("verify   small.toml: 2 epochs of at most 6 batches, --seed 7\n"));
  CHECK(done.out.find("killed ") != std::string::npos);
  CHECK(done.out.find("stopped after step ") != std::string::npos);
  CHECK(done.out.find("\nsame     ") != std::string::npos);
  CHECK(done.out.ends_with("resumed ends with the same bytes.\n"));
  CHECK(fs::is_empty(temporary.path()));
  CHECK_FALSE(fs::exists(here.path() / "runs"));

  REQUIRE(here.run("mine", {"--set", "train.epochs=2"}).code == 0);
  const auto of_run = here.bcx({"verify", "mine", "--json", "--batches", "3"});
  INFO(of_run.err);
  CHECK(of_run.code == 0);
  const auto json = nlohmann::json::parse(of_run.out);
  CHECK(json.at("exact") == true);
  CHECK(json.at("tensors") > 100);
  CHECK(json.at("predictions") > 0);
  CHECK(here.runs().size() == 1);
}

TEST_CASE("bcx verify finds a callback without its state") {
  const test::SmallRuns here;
  const auto file = here.with("bad", "[[callback]]\nname = \"trouble\"\nwhat = \"forget\"\n");
  const auto done = here.bcx({"verify", file, "--seed", "7", "--plugin-path",
                              (test::build_dir() / "tests/fault_fixtures").string()});
  INFO(done.err << done.out);
  CHECK(done.code == 1);
  CHECK(done.out.find("\ndiffers  tensor ") != std::string::npos);

  const auto wrong = here.bcx({"verify", "small.toml", "--set", "train.freeze=[\"nothing.*\"]"});
  CHECK(wrong.code == 2);
  CHECK(wrong.err ==
        "error: small.toml: the short copy of the experiment failed: train.freeze: "
        "freeze pattern \"nothing.*\" matches no parameter; --epochs and --batches make the "
        "copy longer\n");
}
