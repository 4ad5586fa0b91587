// Models read from checkpoints, ready to infer with.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <vector>

#include "engine/evaluation.h"
#include "engine/inference.h"
#include "engine/training_setup.h"
#include "train/forward.h"
#include "train/precision.h"

namespace bcx::engine {

/// One member's network with its weights: the moving average, where the checkpoint holds one.
struct LoadedModel {
  LoadedModel(const TrainedModel& trained, const Member& member, at::Device device);

  ModelSetup setup;
  nlohmann::json manifest;  ///< the checkpoint's
  double temperature;
  /// What the run computed in, where this is the same kind of device; elsewhere float32.
  train::Precision precision;
};

/// The states of the preprocess components in a checkpoint's manifest.
nlohmann::json preprocess_states(const nlohmann::json& manifest);

/// All members of a trained model on one device. One thread.
class LoadedModels {
 public:
  /// Applies the experiment's process settings and loads every checkpoint. Throws bcx::Error: data
  /// for a checkpoint that cannot be read, is of another model or of other classes; device.
  explicit LoadedModels(const TrainedModel& trained);

  /// Batches over decoded pictures; the view must outlive what comes back.
  train::InputPipeline input(const data::PixelView& pixels, std::vector<std::uint64_t> ids) const;

  /// See Predicted::logits. Borrows the input.
  Forward forward(const train::InputPipeline& input);

  /// What the run's preprocess components do to a picture, as its checkpoint knows them. Throws
  /// bcx::Error (usage) for several members that were fitted on different images.
  data::PreprocessHook preprocess() const;

  LoadedModel& first() { return *models_.front(); }
  at::Device device() const { return device_; }
  std::int64_t batch_size() const;

 private:
  std::vector<float> mean(const train::InputPipeline& input, std::span<const std::int64_t> indexes,
                          std::int64_t views, const BatchDone& progress);

  const TrainedModel& trained_;
  at::Device device_;
  std::vector<std::unique_ptr<LoadedModel>> models_;
  sdk::ModelContext context_;  // evaluation draws no numbers
};

}  // namespace bcx::engine
