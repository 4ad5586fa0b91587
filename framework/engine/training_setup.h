// What a training step works with: model, input, optimizer, loss, built from experiment and data.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/components.h"
#include "engine/engine.h"
#include "engine/prepare_data.h"
#include "model/parameters.h"
#include "train/loss.h"
#include "train/step.h"

namespace bcx::engine {

/// Backbone and head on a device, in flat buffers; with the weights that the experiment asks for.
struct ModelSetup {
  ModelSetup(const config::Experiment& experiment, const plugin::PluginCatalog& catalog,
             std::int64_t classes, at::Device device);
  ModelSetup(const ModelSetup&) = delete;
  ModelSetup& operator=(const ModelSetup&) = delete;

  /// Fills in `model.weights`. Returns where they came from, in words. Throws as
  /// weights::resolve_weights() and load_weights().
  std::string load_published(const config::Experiment& experiment, bool may_fetch);

  Built<std::shared_ptr<model::Classifier>> classifier;
  model::FlatParameters parameters;
};

/// The decoded images on the device with the experiment's augmentations.
train::InputPipeline make_input(const config::Experiment& experiment,
                                const plugin::PluginCatalog& catalog, const PreparedData& data,
                                const sdk::Normalization& normalization, at::Device device);

/// Members are built in order; later ones borrow from earlier ones. Borrows experiment and data.
struct TrainingSetup {
  TrainingSetup(const RunRequest& request, const PreparedData& data, at::Device device);

  /// Times the precisions on the first training batch, nothing of which is kept, and sets the
  /// faster one. Returns the reason, in words.
  std::string choose_precision(const config::Experiment& experiment);

  ModelSetup model;
  std::string weights;  ///< where the model's came from, in words
  train::Candidates candidates;
  train::InputPipeline input;
  Built<std::unique_ptr<sdk::Optimizer>> optimizer;
  std::unique_ptr<train::Loss> loss;
  train::StepExecutor step;
  std::vector<train::NamedCallback> callbacks;
};

}  // namespace bcx::engine
