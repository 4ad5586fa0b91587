// A sweep file, or an experiment and parameters on the command line, read and checked.
//
//     extends = ["../densenet201.toml"]
//     [sweep]
//     method = "grid"
//     objective = "val.auc"
//     [[sweep.parameter]]
//     key = "train.batch_size"
//     choices = [16, 32, 64]
//     [[sweep.parameter]]
//     key = "optimizer.learning_rate"
//     log_uniform = [1e-5, 1e-2]
//     points = 4
#pragma once

#include <string>
#include <vector>

#include "config/load.h"
#include "sweep/plan.h"

namespace bcx::sweep {

/// What stands beside the file on the command line, as typed:
/// `train.batch_size=16,32,64`, `optimizer.learning_rate=log(1e-5,1e-2)`, `log(1e-5,1e-2,4)`,
/// `model.head.dropout=uniform(0,0.5)`, `train.epochs=int(1,5)`. A parameter of the file with the
/// same key is replaced.
struct SweepOptions {
  config::LoadOptions load;  ///< `sets` may hold keys of [sweep], too
  std::vector<std::string> parameters;
  std::vector<std::string> plugin_paths;  ///< only kept in the plan
};

struct SweepFile {
  Plan plan;
  config::Experiment experiment;      ///< without any parameter set
  std::vector<std::string> warnings;  ///< allowed and probably not meant
};

/// Reads the file and checks everything: [sweep] itself, the experiment, every choice and both ends
/// of every range set over the experiment, and each point of a grid of at most 1,000.
///
/// Throws bcx::ErrorList with every mistake, as config::load_experiment() does.
SweepFile load_sweep(const SweepOptions& options, const config::Catalog& catalog);

}  // namespace bcx::sweep
