// A small experiment on drawn images, and the command, for tests of sweeps.
#pragma once

#include <map>
#include <nlohmann/json.hpp>

#include "tests/catch.h"
#include "tests/process.h"

namespace bcx::test {

class SweepWorkplace {
 public:
  SweepWorkplace() {
    setenv("XDG_CACHE_HOME", (folder_ / "cache").c_str(), 1);
    unsetenv("BCX_TRACKER");
    unsetenv("BCX_DATA");
    REQUIRE(bcx({"data", "demo", "demo", "--images", "40", "--patients", "10"}).code == 0);
    write("small.toml", R"(
[experiment]
name = "small"
[data]
source = "breakhis"
root = "demo"
image_size = 32
[data.split]
validation = 0.3
test = 0.2
[model]
backbone = "mobilenet_v3_small"
weights = "none"
[optimizer]
name = "sgd"
learning_rate = 1e-2
[train]
epochs = 3
batch_size = 8
device = "cpu"
precision = "fp32"
threads = 1
[[callback]]
name = "checkpoint"
monitor = "val.loss"
mode = "min"
)");
  }

  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name) << text;
  }
  std::vector<std::string> command(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), (build_dir() / "bin/bcx").string());
    return arguments;
  }
  Outcome bcx(const std::vector<std::string>& arguments) const {
    return run_process(command(arguments), path(), path());
  }
  nlohmann::json ask(const std::vector<std::string>& arguments) const {
    const auto done = bcx(arguments);
    INFO(done.err);
    REQUIRE(done.code == 0);
    return nlohmann::json::parse(done.out);
  }
  nlohmann::json trials(const std::string& sweep = "@last") const {
    return ask({"sweep", "show", sweep, "--json"}).at("trials");
  }
  /// What every trial set, and what came of it.
  std::map<std::string, double> values(const std::string& sweep = "@last") const {
    std::map<std::string, double> all;
    for (const auto& trial : trials(sweep)) {
      INFO(trial.dump());
      REQUIRE(trial.at("state") == "finished");
      REQUIRE(!all.contains(trial.at("set").dump()));
      all[trial.at("set").dump()] = trial.at("value").get<double>();
    }
    return all;
  }
  const std::filesystem::path& path() const { return folder_.path(); }

 private:
  TemporaryFolder folder_;
};

}  // namespace bcx::test
