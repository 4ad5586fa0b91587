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

  std::int64_t now = 0, all_epochs = 20, steps = 0;
  double rate = 0.1;
  sdk::Metrics known;
  std::string folder;
  std::vector<Request> checkpoints;
  std::vector<std::string> stops, lines;

  /// One epoch of `callback` with these metrics; what it asks for is added to the lists above.
  void play(sdk::Callback& callback, sdk::Metrics metrics) {
    known = std::move(metrics);
    callback.on_epoch_begin(*this);
    steps += 10;
    callback.on_validation_end(*this);
    callback.on_epoch_end(*this);
    ++now;
  }

  std::int64_t epoch() const override { return now; }
  std::int64_t epochs() const override { return all_epochs; }
  std::int64_t step() const override { return steps; }
  std::int64_t batch_size() const override { return 16; }
  double elapsed_seconds() const override { return 1.0; }
  const sdk::Metrics& metrics() const override { return known; }
  const std::string& run_folder() const override { return folder; }
  double learning_rate() const override { return rate; }
  void set_learning_rate(double value) override { rate = value; }
  void set_batch_size(std::int64_t) override {}
  void set_frozen(const std::vector<std::string>&) override {}
  void request_checkpoint(std::string_view tag, std::optional<double> metric) override {
    checkpoints.push_back({std::string(tag), metric});
  }
  void request_stop(std::string_view reason) override { stops.emplace_back(reason); }
  void log(std::string_view message) override { lines.emplace_back(message); }
  void io(std::function<void()> work) override { work(); }
};

}  // namespace bcx::test
