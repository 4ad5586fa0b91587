// `bcx bench train|infer|data`: every figure is there, and --compare judges by the stored spread.
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "tests/catch.h"
#include "tests/process.h"

namespace bcx::test {
namespace {

using nlohmann::json;

Outcome bench(std::vector<std::string> arguments, const TemporaryFolder& folder) {
  arguments.insert(arguments.begin(), {(build_dir() / "bin/bcx").string(), "bench"});
  return run_process(arguments, folder.path());
}

std::map<std::string, json> by_name(const std::string& text) {
  std::map<std::string, json> figures;
  for (const auto& one : json::parse(text)) figures[one["what"].get<std::string>()] = one;
  return figures;
}

const std::vector<std::string> kSmall{
    "--backbone",  "densenet121", "--image-size", "32", "--batch-size", "2",   "--steps", "3",
    "--precision", "fp32",        "--threads",    "1",  "--device",     "cpu", "--json"};

std::vector<std::string> with_kind(const std::string& kind) {
  std::vector<std::string> arguments{kind};
  arguments.insert(arguments.end(), kSmall.begin(), kSmall.end());
  return arguments;
}

/// A file of one figure of `bcx bench data`.
std::string stored(const TemporaryFolder& folder, double value, double least, double greatest) {
  const auto path = folder.path() / "stored.json";
  std::ofstream(path) << json::array(
      {{{"what", "names found"}, {"value", value}, {"least", least}, {"greatest", greatest}}});
  return path.string();
}

}  // namespace

TEST_CASE("bcx bench train and infer time steps and say what the machine could do") {
  for (const auto& [kind, step] : {std::pair{"train", "a step"}, {"infer", "a batch"}}) {
    const TemporaryFolder folder;
    const auto result = bench(with_kind(kind), folder);
    INFO(result.err);
    REQUIRE(result.code == 0);
    const auto figures = by_name(result.out);
    const std::string of_step = step;
    for (const auto& what :
         {of_step + " in fp32", std::string("images"), "processor time of " + of_step,
          "cores idle during " + of_step, "waits during " + of_step, "first " + of_step.substr(2),
          std::string("peak memory"), std::string("memory copied (read and written)"),
          std::string("matrix product, fp32"), "operators called in " + of_step,
          std::string("products' arithmetic, at that rate"),
          std::string("products' operands and results"), std::string("roofline's floor"),
          std::string("time over the floor")}) {
      INFO(what);
      CHECK(figures.contains(what));
    }
    const auto& time = figures.at(of_step + " in fp32");
    CHECK(time["least"] <= time["value"]);
    CHECK(time["value"] <= time["greatest"]);
    // Two images a step of that time.
    CHECK(figures.at("images")["value"].get<double>() ==
          Approx(2000.0 / time["value"].get<double>()).epsilon(0.01));
  }
}

TEST_CASE("bcx bench data measures from files to pixels, and --compare judges") {
  const TemporaryFolder folder;
  const std::vector<std::string> data{"data", "--images", "12", "--image-size", "32", "--json"};
  const auto compared = [&](const std::string& file) {
    auto arguments = data;
    arguments.insert(arguments.end(), {"--compare", file});
    return bench(arguments, folder);
  };
  const auto slower_before = compared(stored(folder, 1e-3, 1e-3, 2e-3));
  INFO(slower_before.err);
  CHECK(slower_before.code == 0);
  const auto figures = by_name(slower_before.out);
  for (const char* what :
       {"names found", "pictures decoded, scaled and kept", "pictures opened from the cache"})
    CHECK(figures.contains(what));
  CHECK(slower_before.err.find("nothing is worse by more than the stored figures' own spread") !=
        std::string::npos);
  const auto faster_before = compared(stored(folder, 1e12, 0.9e12, 1e12));
  CHECK(faster_before.code == 1);
  CHECK(faster_before.err.find("worse by more than the stored figures' own spread") !=
        std::string::npos);
  CHECK(compared(stored(folder, 1e12, 1.0, 1e12)).code == 0);  // as widely spread as that
  std::ofstream(folder.path() / "stored.json") << R"([{"what": "names found", "value": 1e12}])";
  const auto once = compared((folder.path() / "stored.json").string());
  CHECK(once.code == 0);
  CHECK(once.err.find("measured once: not judged") != std::string::npos);
  std::ofstream(folder.path() / "stored.json") << R"([{"what": "images", "value": 1e12}])";
  const auto other = compared((folder.path() / "stored.json").string());
  CHECK(other.code == 3);
  CHECK(other.err.find("holds none of the figures that were measured; compare with what the same "
                       "`bcx bench KIND --json` wrote") != std::string::npos);
  std::ofstream(folder.path() / "stored.json") << "[1]";
  const auto broken = compared((folder.path() / "stored.json").string());
  CHECK(broken.code == 3);
  CHECK(broken.err.find("holds no figures") != std::string::npos);
}

TEST_CASE("bcx bench growth measures real files, runs and trackers at several sizes") {
  const TemporaryFolder folder;
  std::vector<std::string> arguments{
      "growth",  "--largest", "1000",        "--json", "--of", "images",   "--of",
      "classes", "--of",      "predictions", "--of",   "runs", "--folder", folder.path().string()};
  const auto result = bench(arguments, folder);
  INFO(result.err);
  REQUIRE(result.code == 0);
  const auto figures = by_name(result.out);
  for (const char* what :
       {"files found and split, 1,000 images", "names split and audited, 1,000 images",
        "a run of 3,000 images, one batch, 1,000 classes", "bcx show of it, 1,000 classes",
        "bcx show of it, exponent of growth", "figures of 1,000 predictions, 1,000 classes",
        "bcx runs, filtered and sorted, 10 runs", "bcx show @last, exponent of growth"}) {
    INFO(what);
    CHECK(figures.contains(what));
  }
  CHECK(figures.at("bcx show @last, 100 runs")["value"].get<double>() > 0);
  // Nothing is left behind but what the test itself wrote.
  for (const auto& entry : std::filesystem::directory_iterator(folder.path()))
    CHECK_FALSE(entry.is_directory());
}

}  // namespace bcx::test
