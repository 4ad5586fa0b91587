// A run with a preprocess component as a user starts it: recorded, kept in the checkpoint, resumed.
#include <nlohmann/json.hpp>

#include "macenko_experiment.h"
#include "tests/process.h"
#include "weights/safetensors.h"

using namespace bcx;
using test::MacenkoExperiment;

namespace {

test::Outcome bcx_at(const MacenkoExperiment& place, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), (test::build_dir() / "bin/bcx").string());
  return test::run_process(arguments, place.folder(), place.folder());
}

}  // namespace

TEST_CASE("a run's preprocessing is recorded, kept with the model and taken up by a resume") {
  const MacenkoExperiment place;
  const auto run = bcx_at(place, {"run", "x.toml", "--json"});
  INFO(run.err);
  REQUIRE(run.code == 0);
  CHECK(run.err.find("images stay as they were, macenko: blank") != std::string::npos);
  const std::filesystem::path folder =
      place.folder() / nlohmann::json::parse(run.out).at("folder").get<std::string>();
  std::string state;
  for (const auto& entry : std::filesystem::directory_iterator(folder / "checkpoints")) {
    const auto file = weights::SafetensorsFile::open(entry.path());
    const auto manifest = nlohmann::json::parse(file.metadata().at("bcx.checkpoint"));
    state = manifest.at("preprocess").at("macenko").get<std::string>();
    CHECK(std::count(state.begin(), state.end(), ' ') == 7);
  }
  const auto sql =
      bcx_at(place, {"sql", "SELECT value FROM param WHERE key = 'preprocess.macenko.state'"});
  INFO(sql.err << sql.out);
  CHECK(sql.out.find(state) != std::string::npos);
  const auto plugins = bcx_at(place, {"sql", "SELECT kind FROM plugin WHERE name = 'macenko'"});
  CHECK(plugins.out.find("preprocess") != std::string::npos);

  const auto more = bcx_at(place, {"resume", "@last", "--set", "train.epochs=2"});
  INFO(more.err);
  CHECK(more.code == 0);
  CHECK(more.err.find("(from the cache)") != std::string::npos);
}

TEST_CASE("a preview shows what preprocessing and augmentations make of the pictures") {
  const MacenkoExperiment place;
  const auto sheet = [&](std::vector<std::string> more) {
    std::vector<std::string> arguments{"data",      "preview", "x.toml", "--out",
                                       "sheet.png", "--count", "6"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const auto outcome = bcx_at(place, arguments);
    INFO(outcome.err);
    REQUIRE(outcome.code == 0);
    return data::read_image(place.folder() / "sheet.png").image.rgb;
  };
  const auto plain = sheet({"--set", "preprocess.macenko.enabled=false"});
  const auto processed = sheet({});
  CHECK(processed != plain);
  CHECK(sheet({"--augmented", "--set", "augmentation.flip.enabled=false"}) == processed);
  CHECK(sheet({"--augmented", "--set", "augmentation.flip.vertical=1"}) != processed);
}
