// A small experiment on drawn images, and the command, for tests of sweeps.
#pragma once

#include <map>

#include "tests/workplace.h"

namespace bcx::test {

class SweepWorkplace : public Workplace {
 public:
  SweepWorkplace() : Workplace("small", experiment, 40, 10) {}

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

 private:
  static constexpr const char* experiment = R"(
extends = ["demo.toml"]
[data.split]
validation = 0.3
test = 0.2
[model]
backbone = "mobilenet_v3_small"
[optimizer]
name = "sgd"
learning_rate = 1e-2
[train]
epochs = 3
batch_size = 8
threads = 1
[[callback]]
name = "checkpoint"
monitor = "val.loss"
mode = "min"
)";
};

}  // namespace bcx::test
