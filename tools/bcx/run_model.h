// A recorded run's model: what predict, evaluate and explain work with.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/inference.h"
#include "eval/predictions.h"
#include "open_experiment.h"
#include "tracker/reader.h"

namespace CLI {
class App;
}

namespace bcx::cli {

struct ModelOptions {
  std::string run, checkpoint = "best", device;
  std::int64_t batch_size = 0, views = 1;  ///< 0: the run's
  std::string tracker;
  std::vector<std::string> plugin_paths;
  std::vector<std::string> sets = {};               ///< more of --set
  std::vector<config::OptionValue> overrides = {};  ///< more options that stand for a key
};

/// Adds RUN, --checkpoint, --device, --batch-size, --tracker and --plugin-path.
void add_model_options(CLI::App& command, ModelOptions& options);

struct RunModel {
  tracker::RunShown run;
  OpenedExperiment opened = {};              ///< the run's experiment, with the options applied
  std::vector<engine::Member> members = {};  ///< one; of a run of folds one for each fold
  std::vector<std::string> classes = {};
  int positive = 1;
  /// The run's frozen decision. Two classes always have a threshold.
  eval::DecisionRule rule = {};
  std::string threshold_rule = {};  ///< as the experiment says it
  double temperature = 1.0;         ///< what logits are divided by before they become probabilities

  engine::TrainedModel trained() const {
    return {opened.experiment, *opened.catalog, classes, members};
  }
  /// Probabilities of logits [n, classes].
  eval::Probabilities probabilities(std::span<const float> logits) const;
};

/// Whether the run only evaluates its parent's model.
bool is_evaluation(const tracker::Reader& reader, const tracker::RunShown& run);

/// Finds the run, its experiment.toml and its checkpoints: the best one, which its own final
/// evaluation used, or what --checkpoint says. A run of folds stands for all of them,
/// an evaluation for the run that it evaluates. Throws
/// bcx::Error (usage, data) saying what the run lacks.
RunModel open_run_model(const tracker::Reader& reader, const ModelOptions& options);

}  // namespace bcx::cli
