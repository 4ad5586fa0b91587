// A host for callbacks that does nothing but remember what they asked for.
#pragma once

#include <string>
#include <vector>

#include "bcx/sdk/callback.h"

namespace bcx::test {

/// Plays one run: the test sets the members, calls a callback's functions, and reads what came of
/// it. io() runs its work at once.
struct FakeCallbackContext final : sdk::CallbackContext {
  struct Request {
    std::string tag;
    std::optional<double> metric;
    bool operator==(const Request&) const = default;
  };

  std::int64_t now = 0, all_epochs = 20, steps = 0, batch = 16;
  double seconds = 1.0;
  double rate = 0.1;
  sdk::Metrics known, norms;
  std::string folder;
  std::vector<Request> checkpoints;
  std::vector<std::string> stops, lines, removed, frozen;
  std::vector<double> shares;

  /// One epoch of `callback` with these metrics; what it asks for is added to the lists above.
  void play(sdk::Callback& callback, sdk::Metrics metrics) {
    known = std::move(metrics);
    callback.on_epoch_begin(*this);
    for (int i = 0; i < 10; ++i) {
      ++steps;
      callback.on_step_end(*this);
    }
    callback.on_metrics(*this, steps - 9,
                        {{"train.step_loss", std::vector<double>(10, 0.5)},
                         {"grad_norm", {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}}});
    callback.on_train_epoch_end(*this);
    callback.on_validation_end(*this);
    callback.on_epoch_end(*this);
    ++now;
  }

  std::int64_t epoch() const override { return now; }
  std::int64_t epochs() const override { return all_epochs; }
  std::int64_t step() const override { return steps; }
  std::int64_t batch_size() const override { return batch; }
  double elapsed_seconds() const override { return seconds; }
  const sdk::Metrics& metrics() const override { return known; }
  const std::string& run_folder() const override { return folder; }
  double learning_rate() const override { return rate; }
  void set_learning_rate(double value) override { rate = value; }
  void set_batch_size(std::int64_t size) override { batch = size; }
  void set_frozen(const std::vector<std::string>& patterns) override { frozen = patterns; }
  void request_checkpoint(const sdk::CheckpointRequest& request) override {
    checkpoints.push_back({request.tag, request.value});
  }
  void remove_checkpoint(std::string_view tag) override { removed.emplace_back(tag); }
  void average_weights(double share) override { shares.push_back(share); }
  sdk::Metrics gradient_norms() const override { return norms; }
  void set_metric(std::string_view name, double value) override {
    known[std::string(name)] = value;
  }
  void request_stop(std::string_view reason) override { stops.emplace_back(reason); }
  void log(std::string_view message) override { lines.emplace_back(message); }
  void io(std::function<void()> work) override { work(); }
};

}  // namespace bcx::test
