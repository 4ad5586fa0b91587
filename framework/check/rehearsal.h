// A run that is played to a callback without a model.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "bcx/sdk/callback.h"

namespace bcx::check {

/// What came of a callback's calls.
struct Asked {
  struct Checkpoint {
    std::int64_t epoch = 0;
    std::string tag;
    std::string metric;  ///< as text: a NaN equals itself
    bool best = false;
    bool operator==(const Checkpoint&) const = default;
  };
  std::vector<Checkpoint> checkpoints;
  std::vector<std::pair<std::int64_t, std::string>> removed;  ///< epoch, tag
  std::vector<std::pair<std::int64_t, double>> averaged;      ///< step, share
  std::map<std::string, std::string> added;  ///< by set_metric(); as text: a NaN equals itself
  std::vector<std::pair<std::int64_t, std::string>> stops;  ///< epoch, reason
  std::vector<std::pair<std::int64_t, std::vector<std::string>>> frozen;
  double rate = 0.1;
  std::int64_t batch_size = 16;
  bool operator==(const Asked&) const = default;
};

/// Plays epochs of `steps` steps each to a callback, in the order of bcx/sdk/callback.h, with
/// metrics that rise, stand still, fall and are missing. Everything is a function of the epoch: two
/// rehearsals play the same.
class Rehearsal final : public sdk::CallbackContext {
 public:
  static constexpr std::int64_t all_epochs = 12, steps_per_epoch = 3;

  /// `monitored` are metric names beside the usual ones, which a parameter of the callback asks
  /// for.
  Rehearsal(std::filesystem::path folder, std::vector<std::string> monitored);

  void begin(sdk::Callback& callback) { callback.on_run_begin(*this); }
  void play(sdk::Callback& callback, std::int64_t first, std::int64_t last);
  void end(sdk::Callback& callback) { callback.on_run_end(*this); }
  /// An attempt that goes on after `epochs` epochs, with what was asked for until then.
  void go_on_from(std::int64_t epochs, Asked asked);

  const Asked& asked() const { return asked_; }

  std::int64_t epoch() const override { return epoch_; }
  std::int64_t epochs() const override { return all_epochs; }
  std::int64_t step() const override { return step_; }
  std::int64_t batch_size() const override { return asked_.batch_size; }
  double elapsed_seconds() const override { return static_cast<double>(step_ - first_step_); }
  const sdk::Metrics& metrics() const override { return metrics_; }
  const std::string& run_folder() const override { return folder_; }
  double learning_rate() const override { return asked_.rate; }
  void set_learning_rate(double rate) override;
  void set_batch_size(std::int64_t size) override;
  void set_frozen(const std::vector<std::string>& patterns) override;
  void request_checkpoint(const sdk::CheckpointRequest& request) override;
  void remove_checkpoint(std::string_view tag) override {
    asked_.removed.emplace_back(epoch_, tag);
  }
  void average_weights(double share) override;
  sdk::Metrics gradient_norms() const override;
  void set_metric(std::string_view name, double value) override;
  /// The first one ends a run; this one goes on, so that more is seen of the callback.
  void request_stop(std::string_view reason) override {
    if (asked_.stops.empty()) asked_.stops.emplace_back(epoch_, reason);
  }
  void log(std::string_view) override {}
  void io(std::function<void()> work) override { work(); }

 private:
  void set_metrics(bool validated);

  std::string folder_;
  std::vector<std::string> monitored_;
  std::int64_t epoch_ = 0, step_ = 0;
  std::int64_t first_step_ = 0;  // of this attempt
  sdk::Metrics metrics_;
  Asked asked_;
};

}  // namespace bcx::check
