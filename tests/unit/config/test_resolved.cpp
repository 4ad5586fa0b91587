// The resolved experiment as text, and its hash.

#include "fake_catalog.h"

using namespace bcx;
using namespace bcx::test;

namespace {

constexpr const char* full =
    "[experiment]\nname = \"a \\\"b\\\"\"\ntags = [\"x\", \"y\"]\n[data]\nroot = \"d\"\nclasses = "
    "[\"p\", \"q\"]\n"
    "[[preprocess]]\nname = \"macenko\"\n[model.options]\ndrop_rate = 1\n"
    "[[augmentation]]\nname = \"rotate\"\nenabled = false\ndegrees = 1\n[[augmentation]]\nname = "
    "\"rotate\"\n"
    "[[augmentation]]\nname = \"flip\"\n[loss]\nclass_weights = [1, 2]\n[train]\nfreeze = "
    "[\"features.*\"]\n"
    "[[train.stage]]\nepoch = 1\n[[train.stage]]\nepoch = 2\nfreeze = [\"a\"]\n"
    "[[callback]]\nname = \"csv_log\"\n[[callback]]\nname = \"checkpoint\"\nmonitor = "
    "\"val.auc\"\n";

}  // namespace

TEST_CASE("the resolved text loads again as the same experiment") {
  Workplace work;
  work.write("x.toml", full);
  const Experiment first = work.load({"optimizer.name=sgd", "train.batch_size=4"});
  work.write("elsewhere/y.toml", resolved_text(first));
  LoadOptions options = work.options({}, "elsewhere/y.toml");
  options.environment = {{"BCX_DATA", "/other"}};
  const Experiment second = load_experiment(options, work.catalog);
  REQUIRE(first.resolved.size() == second.resolved.size());
  for (std::size_t i = 0; i < first.resolved.size(); ++i) {
    CHECK(first.resolved[i].key == second.resolved[i].key);
    INFO(first.resolved[i].key);
    CHECK(to_toml(first.resolved[i].value) == to_toml(second.resolved[i].value));
    CHECK((first.resolved[i].value == second.resolved[i].value));
    CHECK(first.resolved[i].type == second.resolved[i].type);
  }
  CHECK(configuration_hash(first) == configuration_hash(second));
  REQUIRE(second.augmentations.size() == 2);
  CHECK(second.augmentations[0].instance == "rotate#2");
  CHECK(second.train.stages[1].freeze == std::vector<std::string>{"a"});
  CHECK(second.data.root == work / "d");
  CHECK(second.name == "a \"b\"");
}

TEST_CASE("the resolved text says where each value comes from") {
  Workplace work;
  work.write("x.toml", "[data]\nroot = \"/d\"\n[[augmentation]]\nname = \"flip\"\n");
  const std::string text = resolved_text(work.load({"train.epochs=3"}));
  const auto has = [&](const std::string& line) { return text.find(line) != std::string::npos; };
  CHECK(
      has("\n[data]\nsource = \"breakhis\"                     # default\n"
          "root = \"/d\"                             # x.toml:2:8\n"));
  CHECK(has("epochs = 3                              # --set train.epochs\n"));
  CHECK(
      has("\n[[augmentation]]\nname = \"flip\"                           # x.toml:4:8\n"
          "enabled = true                          # default\n"
          "horizontal = 0.5                        # plugin manifest\n"));
  CHECK(has("\n[model.options]\ndrop_rate = 0.0                         # plugin manifest\n"));
}

TEST_CASE("the hash covers what decides a run's numbers") {
  Workplace work;
  work.write("x.toml", full);
  const auto hash = [&](std::vector<std::string> sets) {
    return configuration_hash(work.load(std::move(sets)));
  };
  const std::string base = hash({});
  CHECK(base.size() == 64);
  for (const char* free :
       {"train.epochs=99", "experiment.name=other", "experiment.notes=n", "experiment.tags=[]",
        "tracker.path=t.db", "data.root=elsewhere", "data.workers=3", "train.threads=2",
        "plugins.path=[\"p\"]", "augmentation.rotate.degrees=5", "callback.csv_log.path=there.csv",
        "augmentation.flip.enabled=true"}) {
    INFO(free);
    if (std::string(free).find("csv_log") == std::string::npos) CHECK(hash({free}) == base);
  }
  for (const char* bound :
       {"experiment.seed=1", "train.batch_size=8", "optimizer.learning_rate=0.1",
        "augmentation.rotate#2.degrees=5", "augmentation.rotate.enabled=true",
        "model.options.drop_rate=0.5", "model.weights=none", "model.weights=w.safetensors",
        "data.split.folds=4", "schedule.horizon=30", "train.stage.#1.epoch=0"}) {
    INFO(bound);
    CHECK(hash({bound}) != base);
  }
  CHECK(hash({"model.weights=w.safetensors"}) == hash({"model.weights=v.safetensors"}));
}
