// Sweep files: what is read, and every mistake with its place, word for word.

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "sweep/sweep_file.h"
#include "tests/catch.h"
#include "tools/docs/source_catalog.h"

using namespace bcx;
using namespace bcx::sweep;
namespace fs = std::filesystem;

namespace {

class Workplace {
 public:
  Workplace() {
    std::ofstream(folder_ / "base.toml") << R"([data]
root = "images"
[model]
backbone = "mobilenet_v3_small"
weights = "none"
[[augmentation]]
name = "rotate"
[train]
epochs = 9
precision = "fp32"
)";
  }
  SweepOptions options(const std::string& text) const {
    std::ofstream(folder_ / "s.toml") << text;
    SweepOptions options;
    options.load.file = "s.toml";
    options.load.working_directory = folder_.path();
    options.load.metrics = {"auc", "loss"};
    return options;
  }
  SweepFile load(const SweepOptions& options) const {
    return load_sweep(options, docs::SourceCatalog(test::source_dir()));
  }
  std::string mistakes(const SweepOptions& options) const {
    try {
      load(options);
    } catch (const Error& error) {
      return error.what();
    }
    return "none";
  }
  fs::path path() const { return folder_.path(); }

 private:
  test::TemporaryFolder folder_;
};

const std::string begin = "extends = [\"base.toml\"]\n";

}  // namespace

TEST_CASE("a sweep file is read with its keys' types") {
  const Workplace here;
  const auto file = here.load(here.options(begin + R"([sweep]
method = "random"
pruner = "asha"
trials = 12
budget = "1.5h"
seeds = 2
[[sweep.parameter]]
key = "model.backbone"
choices = ["mobilenet_v3_small", "resnet18"]
[[sweep.parameter]]
key = "optimizer.learning_rate"
choices = [1, 1e-3]
[[sweep.parameter]]
key = "augmentation.rotate.enabled"
choices = [true, false]
[[sweep.parameter]]
key = "augmentation.rotate.degrees"
uniform = [0, 45]
when = { "augmentation.rotate.enabled" = true }
[[sweep.parameter]]
key = "train.accumulate"
integer = [1, 4]
)"));
  const auto& plan = file.plan;
  CHECK(plan.name == "s");
  CHECK(plan.maximize);
  CHECK(plan.seconds == 5400);
  CHECK(plan.trial_count() == 24);
  REQUIRE(plan.space.axes.size() == 5);
  CHECK(plan.space.axes[1].choices == std::vector<config::Value>{1.0, 1e-3});
  CHECK(plan.space.axes[3].when.at("augmentation.rotate.enabled") == config::Value(true));
  CHECK(plan.epochs_per_trial == 9);
  CHECK(plan.experiment.find((here.path() / "images").string()) != std::string::npos);
  CHECK(plan.experiment.find("sweep") == std::string::npos);
  const auto again = plan_from_json(nlohmann::json::parse(to_json(plan).dump()));
  CHECK(to_json(again) == to_json(plan));
  CHECK(hash_of(again) == hash_of(plan));
}

TEST_CASE("what an experiment says is kept as one file that stands alone") {
  const Workplace here;
  const auto file =
      here.load(here.options(begin + "[sweep]\n[[sweep.parameter]]\nkey = \"train.batch_size\"\n"
                                     "choices = [8, 16]\n"));
  fs::create_directories(here.path() / "elsewhere");
  std::ofstream(here.path() / "elsewhere/alone.toml") << file.plan.experiment;
  config::LoadOptions options;
  options.file = "alone.toml";
  options.working_directory = here.path() / "elsewhere";
  const auto alone = config::load_experiment(options, docs::SourceCatalog(test::source_dir()));
  CHECK(config::configuration_hash(alone) == config::configuration_hash(file.experiment));
  CHECK(alone.data.root == file.experiment.data.root);
}

TEST_CASE("parameters from the command line, which replace those of the file") {
  const Workplace here;
  auto options = here.options(begin + R"([sweep]
[[sweep.parameter]]
key = "train.batch_size"
choices = [8]
)");
  options.parameters = {"train.batch_size=16,32,64", "optimizer.learning_rate=log(1e-5,1e-2,4)",
                        "model.backbone=mobilenet_v3_small, resnet18"};
  const auto& axes = here.load(options).plan.space.axes;
  REQUIRE(axes.size() == 3);
  CHECK(text_of(axes[0]) == "16, 32, 64");
  CHECK(text_of(axes[1]) == "1e-05 to 0.01, logarithmic, 4 values");
  CHECK(text_of(axes[2]) == "\"mobilenet_v3_small\", \"resnet18\"");
}

TEST_CASE("all mistakes of a sweep file at once, each at its place") {
  const Workplace here;
  CHECK(here.mistakes(here.options(begin + R"([sweep]
metod = "grid"
method = "gird"
objective = "test.auc"
budget = "soon"
[[sweep.parameter]]
key = "train.batch_sise"
choices = [16, 32]
[[sweep.parameter]]
key = "optimizer.learning_rate"
log_uniform = [0, 1e-2]
points = 0
[[sweep.parameter]]
key = "train.precision"
choices = ["fp32", "fp61"]
[[sweep.parameter]]
key = "model.head.dropout"
uniform = [0.0, 1.5]
when = { "model.bakbone" = "resnet18" }
[[sweep.parameter]]
key = "tracker.path"
choices = ["a.db", "a.db"]
)")) == R"(s.toml:3:1: unknown key "metod" in [sweep]; did you mean "method"?
s.toml:4:10: sweep.method: expected "grid", "random", "sobol" or "tpe", got "gird"; did you mean "grid"?
s.toml:5:13: sweep.objective: trials never look at the test part, and "test.auc" is of it; choose by val.auc; --confirm 3 evaluates the winner on the test part
s.toml:6:10: sweep.budget: expected a time such as "2h", got "soon"; s, m, h and d are seconds, minutes, hours and days
s.toml:8:7: unknown key "batch_sise" in [train]; did you mean "batch_size"?
s.toml:12:15: log_uniform: expected numbers above 0, got [0, 0.01]
s.toml:13:10: points: expected a whole number from 1 to 1000, got 0
s.toml:16:20: train.precision: expected "auto", "fp32", "bf16" or "fp16", got "fp61"; did you mean "fp16"?
s.toml:19:17: model.head.dropout: expected a number of at least 0 and below 1, got 1.5
s.toml:20:28: when: "model.bakbone" is no parameter before this one
s.toml:22:7: tracker.path cannot be a parameter of a sweep
s.toml:23:20: choices: "a.db" stands there twice)");
}

TEST_CASE("mistakes that need the whole of it") {
  const Workplace here;
  const std::string rate =
      "[[sweep.parameter]]\nkey = \"optimizer.learning_rate\"\n"
      "log_uniform = [1e-5, 1e-2]\n";
  CHECK(here.mistakes(here.options(begin + "[sweep]\n" + rate)) ==
        "s.toml:4:7: a grid needs to know how many values to try; add points = 4, or use method = "
        "\"random\"");
  CHECK(here.mistakes(here.options(begin + "[sweep]\nmethod = \"tpe\"\n" + rate)) ==
        "s.toml:2:1: method \"tpe\" needs to know when to end; set trials = 20, or a budget of "
        "time or epochs");
  CHECK(here.mistakes(here.options(begin + "[sweep]\n")) ==
        "s.toml:2:1: a sweep needs at least one parameter; write [[sweep.parameter]], or "
        "train.batch_size=16,32 on the command line");
  auto bare = here.options(begin);
  bare.parameters = {"optimizer.learning_rate=log(1e-5,1e-2)"};
  CHECK(here.mistakes(bare) ==
        "optimizer.learning_rate=log(1e-5,1e-2): a grid needs to know how many values to try; "
        "write log(LOW,HIGH,4), or use --method random");
  bare.parameters = {"train.batch_size"};
  CHECK(here.mistakes(bare) ==
        "train.batch_size: expected a parameter, KEY=VALUES; write train.batch_size=16,32 or "
        "optimizer.learning_rate='log(1e-5,1e-2)'");
}

TEST_CASE("a precision that each trial would choose for itself is warned of") {
  const Workplace here;
  auto options = here.options(begin + "[train]\nprecision = \"auto\"\n[sweep]\n");
  options.parameters = {"train.batch_size=8,16"};
  REQUIRE(here.load(options).warnings.size() == 1);
  CHECK(here.load(options).warnings[0] ==
        "train.precision is \"auto\": each trial takes what is faster just then, and trials may "
        "differ for that alone; set fp32 or bf16");
  options.parameters.push_back("train.precision=fp32,bf16");
  options.load.sets = {"sweep.trials=2"};
  CHECK(here.load(options).warnings.empty());
}

TEST_CASE("pruning on a schedule with a horizon is warned of") {
  const Workplace here;
  auto options = here.options(begin + R"([schedule]
name = "cosine"
[sweep]
pruner = "asha"
[[sweep.parameter]]
key = "train.batch_size"
choices = [8, 16]
)");
  REQUIRE(here.load(options).warnings.size() == 1);
  CHECK(here.load(options).warnings[0] ==
        "the cosine schedule ends at epoch 9: trials are compared and pruned in its first epochs, "
        "and one that is promoted or extended keeps this horizon");
}

TEST_CASE("the shipped sweeps are right") {
  std::map<std::string, std::int64_t> trials;
  for (const auto& entry : fs::directory_iterator(test::source_dir() / "experiments/sweeps")) {
    SweepOptions options;
    options.load.file = entry.path();
    options.load.working_directory = "/";
    options.load.metrics = {"auc", "accuracy"};
    const auto file = load_sweep(options, docs::SourceCatalog(test::source_dir()));
    CHECK(file.warnings.empty());
    trials[entry.path().stem()] = file.plan.trial_count();
  }
  CHECK(trials.at("batch_size_x_learning_rate") == 48);
  CHECK(trials.at("quickstart") == 12);
}
