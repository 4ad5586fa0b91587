// The training loop: epochs, steps, callbacks, validation, checkpoints.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "bcx/sdk/callback.h"
#include "config/experiment.h"
#include "plugin/call_site.h"
#include "tracker/run_writer.h"
#include "train/checkpoint.h"
#include "train/input.h"
#include "train/observer.h"
#include "train/sampler.h"
#include "train/schedule.h"
#include "train/step.h"

namespace bcx::train {

struct NamedCallback {
  std::string instance;
  std::unique_ptr<sdk::Callback> object;
  plugin::CallSite site;
};

/// What the loop works with. Everything is borrowed and outlives it.
struct LoopParts {
  const config::Experiment& experiment;
  const InputPipeline& input;
  const Candidates& candidates;  ///< training samples
  StepExecutor& step;
  model::FlatParameters& parameters;
  sdk::Optimizer& optimizer;
  std::vector<NamedCallback>& callbacks;
  tracker::RunWriter& tracker;
  CheckpointStore& checkpoints;
  Observer& observer;
  /// Validates the weights in place and gives `val.*`; empty without validation samples. Throws
  /// bcx::Error (stopped) when a signal comes, with the weights as they were.
  std::function<sdk::Metrics()> validate;
  /// Adds what only the engine knows (hashes, plugins, the experiment) to a snapshot.
  std::function<void(Snapshot&)> complete;
  /// Puts model, optimizer, step and callbacks back to the newest good checkpoint, the callbacks as
  /// if new; gives its manifest.
  std::function<nlohmann::json()> restore_newest;
};

enum class LoopEnd { finished, stopped };

/// Runs the epochs from where its state says to the last one. One thread.
///
/// A loss or gradient that is not finite is seen when values are read back, which needs no waiting
/// of its own; train.not_finite says what becomes of it. Under fp16 a gradient that overflows is
/// the loss scale's business.
class TrainLoop : private sdk::CallbackContext {
 public:
  explicit TrainLoop(LoopParts parts);

  /// Goes on from a checkpoint's manifest; model, optimizer and step are restored by the caller.
  void load_state(const nlohmann::json& manifest);

  /// Throws what a callback, the model or the disk threw, after on_run_end. `stopped`: a signal
  /// came, the state is saved.
  LoopEnd run();

  const std::string& stop_reason() const { return stop_reason_; }
  const tracker::Cursor& cursor() const { return cursor_; }
  /// Path of the best checkpoint: see sdk::CheckpointRequest::best.
  std::optional<std::filesystem::path> best() const;

 private:
  // What callbacks see and ask for: loop_requests.cpp.
  std::int64_t epoch() const override { return cursor_.epoch; }
  std::int64_t epochs() const override { return parts_.experiment.train.epochs; }
  std::int64_t step() const override { return cursor_.step; }
  std::int64_t batch_size() const override { return batch_size_; }
  double elapsed_seconds() const override;
  const sdk::Metrics& metrics() const override { return metrics_; }
  const std::string& run_folder() const override { return folder_; }
  double learning_rate() const override { return base_rate_; }
  void set_learning_rate(double rate) override;
  void set_batch_size(std::int64_t size) override;
  void set_frozen(const std::vector<std::string>& patterns) override;
  void request_checkpoint(const sdk::CheckpointRequest& request) override;
  void remove_checkpoint(std::string_view tag) override;
  void average_weights(double share) override;
  sdk::Metrics gradient_norms() const override;
  void set_metric(std::string_view name, double value) override;
  void request_stop(std::string_view reason) override;
  void log(std::string_view message) override;
  void io(std::function<void()> work) override;

  void run_to_the_end();
  void run_epochs();
  void say_ended_after_error() noexcept;
  void train_epoch();
  bool end_epoch(double seconds);
  void end_steps(double seconds);
  bool validate();
  /// `times`: for each sample from the first micro-batch on, how often it came before
  /// (repetitions()).
  void one_step(std::span<const std::span<const std::int64_t>> micro_batches,
                std::span<const std::int64_t> times);
  void apply_stage();
  void apply_rate();
  double rate() const;
  /// Of the epoch under way, from 1, as people count them; what is done with epoch 1 then agrees
  /// with a checkpoint of epoch 1.
  double recorded_epoch() const { return static_cast<double>(cursor_.epoch + 1); }
  void note_parts();
  void report_progress(std::size_t done, std::size_t total, double seconds);
  void call(std::string_view when, const std::function<void(sdk::Callback&)>& what);
  bool interrupted();

  // loop_values.cpp
  void record(const StepValues& values, double seconds);
  void read_back();
  void judge(std::int64_t first, const std::vector<double>& losses,
             const std::vector<double>& norms, bool callback_stops);
  void end_diverged(const std::string& what);
  void skipped(const std::string& what);

  // loop_state.cpp
  void save(const sdk::CheckpointRequest& request);
  bool is_saved() const;
  void save_requested();
  nlohmann::json state() const;
  nlohmann::json interrupted_validation() const;
  void go_on_validating(const nlohmann::json& state);
  void roll_back();

  LoopParts parts_;
  Schedule schedule_;
  tracker::Cursor cursor_;
  tracker::Cursor saved_;                       // of the newest "last" checkpoint
  std::int64_t batch_size_, epoch_batch_size_;  // asked for; in force until the epoch's end
  double base_rate_;
  std::vector<std::string> frozen_;
  bool frozen_by_callback_ = false;
  std::string stop_reason_, folder_;
  sdk::Metrics metrics_;
  std::map<std::string, sdk::CheckpointRequest> wanted_checkpoints_;  // by tag
  std::vector<std::string> unwanted_checkpoints_;                     // tags
  std::string best_tag_;  // of the first checkpoint that was asked for as the best
  bool stop_ = false, stopped_ = false;
  bool validating_ = false;  // the epoch's steps are done and callbacks were told
  bool diverged_ = false;  // and a callback asked for a stop: the best checkpoint is the result
  std::string trouble_;    // what is not finite and to be rolled back from; empty: nothing
  std::int64_t roll_backs_ = 0, skipped_in_a_row_ = 0, overflows_in_a_row_ = 0;
  std::chrono::steady_clock::time_point started_;
  std::int64_t epoch_samples_here_ = 0;  // of this epoch, in this attempt: for images per second

  struct Pending {
    std::int64_t step;
    at::Tensor loss, gradient_norm;
  };
  std::vector<Pending> pending_;
  tracker::MetricKey loss_key_, norm_key_, time_key_;
};

}  // namespace bcx::train
