// The experiments that bcx ships are right, and stay what their names say.

#include <fstream>

#include "config/load.h"
#include "config/schema.h"
#include "data/audit.h"
#include "tests/catch.h"
#include "tools/docs/source_catalog.h"

namespace fs = std::filesystem;
using namespace bcx;
using namespace bcx::config;

namespace {

Experiment load(const fs::path& file) {
  LoadOptions options;
  options.file = file;
  options.working_directory = "/";
  return load_experiment(options, docs::SourceCatalog(test::source_dir()));
}

fs::path shipped(const std::string& name) {
  return test::source_dir() / "experiments" / name;
}

}  // namespace

TEST_CASE("every shipped experiment is right and survives being resolved") {
  const test::TemporaryFolder folder;
  int count = 0;
  for (const auto& entry : fs::directory_iterator(test::source_dir() / "experiments")) {
    if (entry.path().extension() != ".toml") continue;
    INFO(entry.path().filename());
    const Experiment experiment = load(entry.path());
    CHECK(experiment.name == entry.path().stem());
    std::ofstream(folder / "resolved.toml") << resolved_text(experiment);
    const Experiment again = load(folder / "resolved.toml");
    REQUIRE(experiment.resolved.size() == again.resolved.size());
    for (std::size_t i = 0; i < again.resolved.size(); ++i) {
      INFO(again.resolved[i].key);
      CHECK(experiment.resolved[i].key == again.resolved[i].key);
      CHECK((experiment.resolved[i].value == again.resolved[i].value));
    }
    CHECK(configuration_hash(experiment) == configuration_hash(again));
    ++count;
  }
  CHECK(count >= 9);
}

TEST_CASE("the main experiment is the design's") {
  const Experiment main = load(shipped("densenet201.toml"));
  CHECK(main.model.backbone.name == "densenet201");
  CHECK(main.data.root == test::source_dir() / "data/BreaKHis_v1");
  CHECK(main.data.split.by == "case");
  CHECK(main.learning_rate == 1e-4);
  CHECK(main.augmentations.size() == 3);
  CHECK(main.callbacks.size() == 2);
  CHECK(main.evaluate.tta == 10);
  const Experiment quick = load(shipped("quickstart.toml"));
  CHECK(quick.model.backbone.name == "densenet201");
  CHECK(quick.model.weights == "none");
  CHECK(quick.data.root == test::source_dir() / "demo");
  CHECK(load(shipped("original-notebook.toml")).data.split.by == "image");
}

TEST_CASE("the audit's findings are those that an experiment may allow") {
  std::vector<std::string> allowed;
  for (const auto& choice : find_section("data.audit")->params.at(0).choices)
    allowed.push_back(std::get<std::string>(choice));
  CHECK(allowed == data::audit_names());
}
