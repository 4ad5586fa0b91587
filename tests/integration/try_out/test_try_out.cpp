// `bcx run --dry-run | --find-lr | --find-batch-size` as processes.

#include "tests/workplace.h"

using namespace bcx;
namespace fs = std::filesystem;
using nlohmann::json;

namespace {

constexpr const char* small = R"(
extends = ["demo.toml"]
[model]
backbone = "mobilenet_v3_small"
[optimizer]
name = "sgd"
learning_rate = 1e-2
[train]
epochs = 1
batch_size = 8
threads = 1
)";

struct Workplace : test::Workplace {
  Workplace() : test::Workplace("small", small, 48, 8) {}
};

}  // namespace

TEST_CASE("a dry run says what a run takes and records nothing") {
  const Workplace here;
  const auto told = here.ask({"run", "small.toml", "--dry-run", "--json"});
  CHECK(told.at("batch_size") == 8);
  CHECK(told.at("samples_per_step") == 8);
  CHECK(told.at("steps_per_epoch").get<int>() >= 3);
  CHECK(told.at("images_per_second").get<double>() > 0);
  CHECK(told.at("peak_memory").get<double>() > 1e6);
  CHECK_FALSE(fs::exists(here.path() / "runs"));
  const auto text = here.bcx({"run", "small.toml", "--dry-run"});
  CHECK(text.out.find("3 steps and a validation batch went well; nothing was recorded") == 0);
}

TEST_CASE("a learning-rate test is a run with a curve, and `use` trains with what it found") {
  const Workplace here;
  const auto done = here.bcx({"run", "small.toml", "--find-lr=use"});
  INFO(done.err);
  REQUIRE(done.code == 0);
  const auto test = here.ask({"show", "small-find-lr", "--json"});
  CHECK(test.at("status") == "finished");
  const auto curves = here.ask(
      {"sql", "--json", "SELECT kind, x_name, y_name FROM curve WHERE kind='learning_rate_test'"});
  REQUIRE(curves.size() == 1);
  CHECK(curves[0].at("kind") == "learning_rate_test");
  CHECK(curves[0].at("x_name") == "learning_rate");
  CHECK(done.out.find("log10 learning rate") != std::string::npos);
  const double suggested = test.at("params").at("suggested_learning_rate");
  const double used =
      here.ask({"show", "small", "--json"}).at("params").at("optimizer.learning_rate");
  CHECK(used == Approx(suggested).epsilon(0.06));  // two digits
}

TEST_CASE("batch sizes are tried up to the whole training part") {
  const Workplace here;
  const auto told = here.ask({"run", "small.toml", "--find-batch-size", "--json"});
  CHECK(told.at("reason") == "the training part is one batch");
  std::int64_t expected = 2;
  for (const auto& trial : told.at("trials")) {
    CHECK(trial.at("batch_size") == expected);
    expected *= 2;
  }
  CHECK(told.at("largest") == expected / 2);
  CHECK_FALSE(fs::exists(here.path() / "runs"));
}

TEST_CASE("a few batches are learnt by heart, and the run says that it is nothing else") {
  const Workplace here;
  const auto done =
      here.ask({"run", "small.toml", "--overfit", "1", "--json", "--set", "train.epochs=40",
                "--set", "optimizer.name=adam", "--set", "optimizer.learning_rate=1e-3"});
  CHECK(done.at("stamps") == json{"OVERFIT"});
  CHECK(done.at("metrics").empty());  // the test part was not looked at
  const auto run = here.ask({"show", "small", "--json"});
  for (const auto& one : run.at("evaluations")) CHECK(one.at("samples") == 8);
  const auto losses = here.ask({"curve", "small", "train.loss", "--json"});
  const auto text = losses.dump();
  INFO(text);
  CHECK(here.ask({"sql", "--json",
                  "SELECT min(value) AS least FROM v_metric WHERE "
                  "key='train.loss'"})[0]
            .at("least")
            .get<double>() < 0.05);
}

TEST_CASE("limited batches limit every epoch and evaluation") {
  const Workplace here;
  const auto done =
      here.ask({"run", "small.toml", "--limit-batches", "1", "--json", "--set", "train.epochs=2"});
  CHECK(done.at("stamps") == json{"LIMITED"});
  const auto run = here.ask({"show", "small", "--json"});
  for (const auto& one : run.at("evaluations")) CHECK(one.at("samples") == 8);
  CHECK(here.ask({"sql", "--json", "SELECT max(step) AS steps FROM v_metric"})[0].at("steps") == 2);
}

TEST_CASE("a mistake of the experiment is told as it is, and no batch size is blamed") {
  const Workplace here;
  const auto done =
      here.bcx({"run", "small.toml", "--find-batch-size", "--set", "train.device=cuda:7"});
  CHECK(done.code == 5);
  CHECK(done.err.find("a trial with this batch size failed") != std::string::npos);
}
