// A run for the tracker's tests.
#pragma once

#include <string>

#include "tracker/run_writer.h"

namespace bcx::test {

inline tracker::RunDescription description(std::string name) {
  tracker::RunDescription run;
  run.name = std::move(name);
  run.experiment = "densenet201";
  run.seed = 42;
  run.tags = {"paper", "breakhis"};
  run.notes = "first try";
  run.command = "bcx run experiments/densenet201.toml";
  run.git_commit = "1e3a418";
  run.version = "0.1.0";
  run.config_source = "[experiment]\nname = \"densenet201\"\n";
  run.config_resolved = "experiment.name = \"densenet201\"\n";
  run.config_hash = "c0ffee";
  run.params = {{"train.batch_size", std::int64_t{16}, false, "default"},
                {"optimizer.learning_rate", 1e-4, false, "densenet201.toml:12:3"},
                {"optimizer.name", std::string("adam"), false, "densenet201.toml:11:3"},
                {"data.split.stratify", true, false, "default"},
                {"data.magnifications", std::string("[40,100]"), true, "--set"}};
  run.plugins = {{"adam", "optimizer", "0.1.0", "b01d", "adam.bcx.so"}};
  run.system = {{"gpu", "none"}, {"libtorch", "2.11.0"}};
  return run;
}

}  // namespace bcx::test
