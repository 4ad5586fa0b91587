// A run's whole state as one safetensors file.
//
// Tensors:
//   model.NAME        every parameter and running statistic, usual order and layout
//   ema.NAME          their average, if a callback keeps one (ema, swa)
//   optimizer.NAME    the optimizer's state over the flat buffer [n]
//   step.NAME         accumulators, numbers of steps, loss scale
// Metadata: `bcx.checkpoint`, a JSON object: format, run, cursor, the loop's and the callbacks'
// state, hashes of configuration, data and split, plugins' build ids; `bcx.experiment`, the
// resolved experiment as TOML; `bcx.classes`. So a checkpoint alone is enough to predict with.
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <future>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "bcx/sdk/optimizer.h"
#include "model/parameters.h"
#include "tracker/run_writer.h"
#include "train/checkpoint_manifest.h"
#include "train/step.h"
#include "weights/safetensors.h"

namespace bcx::train {

/// A copy of everything in host memory, taken between two steps; independent of the run from then
/// on.
struct Snapshot {
  struct Item {
    std::string name;
    at::Tensor tensor;  ///< contiguous, CPU
  };
  std::vector<Item> items;
  nlohmann::json manifest;     ///< `bcx.checkpoint`
  weights::Metadata metadata;  ///< what else travels along
  tracker::Cursor cursor;
};

/// Copies model, averages, optimizer and step state.
Snapshot take_snapshot(const model::FlatParameters& parameters, sdk::Optimizer& optimizer,
                       StepExecutor& step);

/// `"backbone.conv1.weight" holds a value that is not finite`, of the model; empty: there is none.
std::string not_finite_in(const Snapshot& snapshot);

/// The reverse, from an opened and already matched file. Throws bcx::Error (data) naming the first
/// tensor that is missing or of another shape.
void restore(const weights::SafetensorsFile& file, const model::FlatParameters& parameters,
             sdk::Optimizer& optimizer, StepExecutor& step);

/// Whether it holds an average of the weights.
bool holds_average(const weights::SafetensorsFile& file);

/// Only the model (`prefix` "model." or "ema."), for evaluation. Throws as restore().
void restore_model(const weights::SafetensorsFile& file, std::string_view prefix,
                   const model::FlatParameters& parameters);

/// Writes checkpoints of one run, off the training thread, one at a time and in order:
/// `last-STEP.safetensors` (the two newest are kept), `last-STEP-validating.safetensors` when the
/// validation after that step was stopped, and `TAG.safetensors` for any other tag.
class CheckpointStore {
 public:
  CheckpointStore(std::filesystem::path folder, tracker::RunWriter& tracker);
  /// Waits for the write under way; what it threw is lost unless wait() was called.
  ~CheckpointStore();

  /// Waits for the write before (throwing what went wrong there), then starts this one. The
  /// database row follows the file. A snapshot whose model holds a value that is not finite is
  /// refused: Error (data).
  void save(Snapshot snapshot, const std::string& tag, const std::string& metric,
            std::optional<double> value);
  /// Removes the checkpoint of that tag and says so to the tracker, after the write under way. None
  /// of that tag: nothing.
  void remove(const std::string& tag);
  /// Where a checkpoint of that tag, not "last", lies.
  std::filesystem::path path(const std::string& tag) const {
    return folder_ / (tag + ".safetensors");
  }
  /// Returns when nothing is being written. Throws what went wrong.
  void wait();
  /// Throws what went wrong in a write that has ended; waits for nothing. Cheap.
  void check();
  /// Files of this store that are there and were written whole, newest state first. After wait().
  std::vector<std::filesystem::path> good() const;
  /// What the run went on from is good too.
  void add_good(const std::filesystem::path& path, std::int64_t step) { written_[path] = step; }

  const std::filesystem::path& folder() const { return folder_; }

 private:
  void write(Snapshot snapshot, const std::string& tag, const std::string& metric,
             std::optional<double> value);
  void rotate();

  std::filesystem::path folder_;
  tracker::RunWriter& tracker_;
  std::future<void> writing_;
  // Touched by the writing task only.
  std::vector<std::filesystem::path> last_;                // oldest first
  std::map<std::filesystem::path, std::int64_t> written_;  // with its step
};

}  // namespace bcx::train
