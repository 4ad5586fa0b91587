// The callback interface: looks at a run and may steer it between steps.
//
//     on_run_begin                                        (after load_state when resuming)
//     for epoch in [first, train.epochs):
//       on_epoch_begin
//       for step in epoch:
//         on_step_end                                     host-known values only, never waits
//       (every n steps, later) on_metrics                 values read back from the device
//       on_train_epoch_end                                the last step is done, validation follows
//       validation; on_validation_end                     val.* known
//       on_epoch_end                                      all metrics of the epoch known
//     on_run_end                                          also after a stop or an error
//
// A checkpoint is taken after on_epoch_end or on_step_end, when every state() is up to date; also
// after on_train_epoch_end when a signal stops the validation: a resume then begins with it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bcx::sdk {

/// Metric names as the tracker has them: "val.accuracy".
using Metrics = std::map<std::string, double, std::less<>>;

/// A checkpoint that a callback asks for.
struct CheckpointRequest {
  /// Its name among the run's checkpoints and of its file: letters, digits, `.`, `-`, `_`. A later
  /// one of the same tag replaces it; of "last" the newest two are kept.
  std::string tag;
  std::string monitor = {};                    ///< the metric that decided, or empty
  std::optional<double> value = std::nullopt;  ///< of that metric
  /// The best state so far by this callback's reckoning. The run's final evaluation uses the
  /// newest such checkpoint of the first tag that was ever asked for in this way.
  bool best = false;
};

/// What a callback may see and ask for. Provided by the host; valid only during the call.
class CallbackContext {
 public:
  virtual ~CallbackContext() = default;

  virtual std::int64_t epoch() const = 0;   ///< 0-based
  virtual std::int64_t epochs() const = 0;  ///< train.epochs
  virtual std::int64_t step() const = 0;    ///< optimizer steps done in the whole run
  virtual std::int64_t batch_size() const = 0;
  virtual double elapsed_seconds() const = 0;         ///< of this attempt
  virtual const Metrics& metrics() const = 0;         ///< everything known of this epoch so far
  virtual const std::string& run_folder() const = 0;  ///< absolute; files of this run go below it

  /// The factor-free base rate that the schedule multiplies. Setting it acts from the next step on.
  virtual double learning_rate() const = 0;
  virtual void set_learning_rate(double rate) = 0;
  virtual void set_batch_size(std::int64_t size) = 0;
  /// Patterns over parameter names (`backbone.*`): replaces what is frozen, from the next step on.
  virtual void set_frozen(const std::vector<std::string>& patterns) = 0;
  /// Asks for a checkpoint: at the epoch's end, or from on_step_end at once, after all callbacks.
  virtual void request_checkpoint(const CheckpointRequest& request) = 0;
  /// Removes a checkpoint that was asked for under this tag, after those of this epoch are written.
  virtual void remove_checkpoint(std::string_view tag) = 0;
  /// Moves the run's average of weights and running statistics towards those of now:
  /// average += share (now - average), on the device, without waiting. The first call of a run
  /// makes the average and sets it to the weights of now, whatever its share. From then on
  /// validation, checkpoints (beside the weights) and the final evaluation use the average.
  virtual void average_weights(double share) = 0;
  /// L2 norm of the latest step's gradient, for each parameter that is trained. Waits for the
  /// device: for the end of an epoch.
  virtual Metrics gradient_norms() const = 0;
  /// Adds a number to this epoch's metrics, by a name of the callback's own ("grad_norm.max").
  /// Those that callbacks may monitor stand in plugin.toml: [component.facts] metrics = [...].
  virtual void set_metric(std::string_view name, double value) = 0;
  /// Ends the run after this epoch (or step), with the reason in the tracker.
  virtual void request_stop(std::string_view reason) = 0;
  /// Logs a line to the console and the tracker's events.
  virtual void log(std::string_view message) = 0;
  /// Runs `work` on the writer thread, in order; drained before a checkpoint takes the state.
  virtual void io(std::function<void()> work) = 0;
};

/// Base of all callbacks; every function is called on the training thread. state() and load_state()
/// carry everything a resumed run needs to go on as if it had never stopped, as text of the
/// callback's own choosing (JSON is usual); they are required.
class Callback {
 public:
  virtual ~Callback() = default;
  virtual void on_run_begin(CallbackContext&) {}
  virtual void on_epoch_begin(CallbackContext&) {}
  virtual void on_step_end(CallbackContext&) {}
  /// Series "train.step_loss" and "grad_norm". A loss that is not finite ends the run with an error
  /// unless a callback asks for a stop here.
  virtual void on_metrics(
      CallbackContext&, std::int64_t /*first_step*/,
      const std::map<std::string, std::vector<double>, std::less<>>& /*values*/) {}
  virtual void on_train_epoch_end(CallbackContext&) {}
  virtual void on_validation_end(CallbackContext&) {}
  virtual void on_epoch_end(CallbackContext&) {}
  virtual void on_run_end(CallbackContext&) {}
  virtual std::string state() const = 0;
  virtual void load_state(const std::string& state) = 0;
};

}  // namespace bcx::sdk
