// `bcx run --folds` with real processes: what it records, and that a killed one goes on.

#include <cmath>
#include <map>
#include <set>

#include "tests/workplace.h"

using namespace bcx;
namespace fs = std::filesystem;
using nlohmann::json;

namespace {

constexpr const char* small = R"(
extends = ["demo.toml"]
[data.split]
method = "kfold"
folds = 3
[model]
backbone = "mobilenet_v3_small"
[optimizer]
name = "sgd"
learning_rate = 1e-2
[train]
epochs = 2
threads = 1
[[callback]]
name = "checkpoint"
monitor = "val.loss"
mode = "min"
[evaluate]
threshold = "youden"
)";

struct Workplace : test::Workplace {
  Workplace() : test::Workplace("small", small, 72, 12) {}

  /// The out-of-fold predictions: sample and the bits of its logits.
  std::map<std::string, std::string> predictions(const std::string& run) const {
    std::map<std::string, std::string> result;
    for (const auto& row : ask({"sql", "--json",
                                "SELECT sample_name, hex(logits) AS bits FROM v_prediction "
                                "WHERE run='" +
                                    run + "' AND purpose='out_of_fold'"}))
      result[row.at("sample_name").get<std::string>()] = row.at("bits").get<std::string>();
    return result;
  }
};

}  // namespace

TEST_CASE("a run for each fold beneath one parent; killed, it goes on where it was") {
  const Workplace here;
  const auto whole = here.ask({"run", "small.toml", "--folds", "--json"});
  const auto parent = whole.at("id").get<std::string>();
  const auto children = here.ask({"runs", "parent = \"" + parent + "\"", "--json"});
  REQUIRE(children.size() == 3);
  std::set<std::string> names;
  double auc = 0;
  for (const auto& child : children) {
    names.insert(child.at("name"));
    CHECK(child.at("status") == "finished");
    auc += child.at("metrics").at("test.auc").get<double>() / 3;
  }
  CHECK(names == std::set<std::string>{"small-fold0", "small-fold1", "small-fold2"});
  CHECK(whole.at("metrics").at("test.auc").get<double>() == Approx(auc));
  CHECK(here.predictions(parent).size() == 72);  // each image by the one model that has not seen it

  test::Process killed(here.command({"run", "small.toml", "--folds", "--name", "again"}),
                       here.path(), here.path());
  REQUIRE(killed.says("fold     2 of 3"));
  REQUIRE(killed.says("again-fold1"));
  killed.signal(SIGKILL);
  killed.wait();
  CHECK(here.ask({"show", "again", "--json"}).at("status") == "crashed");
  const auto first = here.ask({"show", "again-fold0", "--json"}).at("id");
  const auto resumed = here.bcx({"resume", "again"});
  INFO(resumed.err);
  REQUIRE(resumed.code == 0);
  CHECK(resumed.err.find("fold     1 of 3") == std::string::npos);
  const auto shown = here.ask({"show", "again", "--json"});
  CHECK(shown.at("status") == "finished");
  CHECK(here.ask({"show", "again-fold0", "--json"}).at("id") == first);
  CHECK(here.predictions(shown.at("id").get<std::string>()) == here.predictions(parent));
}

TEST_CASE("folds of every repeat have a pass of their own") {
  const Workplace here;
  const auto done = here.ask({"run", "small.toml", "--folds", "--json", "--set",
                              "data.split.method=repeated", "--set", "data.split.folds=2", "--set",
                              "data.split.repeats=2", "--set", "train.epochs=1"});
  const auto evaluations =
      here.ask({"show", done.at("id").get<std::string>(), "--json"}).at("evaluations");
  REQUIRE(evaluations.size() == 2);
  for (const auto& one : evaluations) CHECK(one.at("samples") == 72);
  const auto table = here.bcx({"show", done.at("id").get<std::string>()}).out;
  CHECK(table.find("mean") != std::string::npos);
  CHECK(table.find("pooled") != std::string::npos);
}

TEST_CASE("what marks a fold that was finished before a resume marks the parent") {
  const Workplace here;
  test::Process killed(here.command({"run", "small.toml", "--folds", "--name", "mixed",
                                     "--limit-batches", "1", "--set", "train.epochs=1"}),
                       here.path(), here.path());
  REQUIRE(killed.says("mixed-fold1"));
  killed.signal(SIGKILL);
  killed.wait();
  const auto done = here.ask({"resume", "mixed", "--json", "--set", "train.limit_batches=0"});
  CHECK(done.at("stamps") == json{"LIMITED"});
  CHECK(here.ask({"show", "mixed-fold2", "--json"}).at("stamps").empty());
  const auto details = here.ask({"show", "mixed", "--json"}).at("stamp_details");
  CHECK(details.at("LIMITED") == "train.limit_batches = 1");
}

TEST_CASE("mistakes with folds are told before anything is trained") {
  const Workplace here;
  const auto one = here.bcx({"run", "small.toml", "--folds", "--set", "data.split.method=holdout"});
  CHECK(one.code == 2);
  CHECK(one.err.find("there is one fold with method \"holdout\"") != std::string::npos);
  CHECK(one.err.find("--folds goes with kfold, repeated, leave_one_group_out or several files") !=
        std::string::npos);
  const auto overfit = here.bcx({"run", "small.toml", "--folds", "--overfit", "1"});
  CHECK(overfit.code == 2);
  CHECK(overfit.err ==
        "error: train.overfit_batches: an overfitted model has no test predictions to sum up; "
        "leave out --folds, or --overfit\n");
  const auto many = here.bcx({"run", "small.toml", "--folds", "--set", "data.split.folds=9"});
  CHECK(many.code == 3);
  CHECK(here.bcx({"runs"}).out.find("small") == std::string::npos);
}
