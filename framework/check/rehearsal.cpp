#include "check/rehearsal.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <limits>

#include "check/subject.h"

namespace bcx::check {
namespace {

// One a epoch: better, equal, worse, no number at all.
constexpr std::array<double, Rehearsal::all_epochs> accuracies{
    0.5,  0.7,  0.7,  0.65, std::numeric_limits<double>::quiet_NaN(), 0.72, 0.71, 0.71,
    0.70, 0.74, 0.73, 0.73};

}  // namespace

Rehearsal::Rehearsal(std::filesystem::path folder, std::vector<std::string> monitored)
    : folder_(folder.string()), monitored_(std::move(monitored)) {}

void Rehearsal::set_metrics(bool validated) {
  const double accuracy = accuracies[static_cast<std::size_t>(epoch_)];
  metrics_ = {{"train.loss", 1.0 / static_cast<double>(epoch_ + 1)}, {"train.accuracy", 0.6}};
  if (!validated) return;
  metrics_.insert(
      {{"val.loss", 1.0 - accuracy}, {"val.accuracy", accuracy}, {"val.auc", accuracy}});
  for (const auto& name : monitored_) metrics_.emplace(name, accuracy);
}

void Rehearsal::play(sdk::Callback& callback, std::int64_t first, std::int64_t last) {
  for (epoch_ = first; epoch_ <= last; ++epoch_) {
    metrics_.clear();
    callback.on_epoch_begin(*this);
    const auto first_step = step_;
    for (std::int64_t i = 0; i < steps_per_epoch; ++i) {
      ++step_;
      callback.on_step_end(*this);
    }
    callback.on_metrics(*this, first_step,
                        {{"train.loss", std::vector<double>(steps_per_epoch, 0.5)}});
    set_metrics(false);
    callback.on_train_epoch_end(*this);
    set_metrics(true);
    callback.on_validation_end(*this);
    callback.on_epoch_end(*this);
  }
  --epoch_;
}

void Rehearsal::go_on_from(std::int64_t epochs, Asked asked) {
  epoch_ = epochs;
  step_ = first_step_ = epochs * steps_per_epoch;
  asked_ = std::move(asked);
}

void Rehearsal::set_learning_rate(double rate) {
  require(std::isfinite(rate) && rate >= 0, fmt::format("sets the learning rate to {}", rate));
  asked_.rate = rate;
}

void Rehearsal::set_batch_size(std::int64_t size) {
  require(size >= 1, fmt::format("sets the batch size to {}", size));
  asked_.batch_size = size;
}

void Rehearsal::set_frozen(const std::vector<std::string>& patterns) {
  // What holds in the end, from when on: asking for what holds already changes nothing.
  auto& all = asked_.frozen;
  if (!all.empty() && all.back().first == epoch_)
    all.back().second = patterns;
  else
    all.emplace_back(epoch_, patterns);
  if (all.size() > 1 && all[all.size() - 2].second == patterns) all.pop_back();
}

void Rehearsal::request_checkpoint(const sdk::CheckpointRequest& request) {
  require(!request.tag.empty(), "asks for a checkpoint without a tag");
  asked_.checkpoints.push_back({epoch_, request.tag,
                                request.value ? fmt::format("{}", *request.value) : "none",
                                request.best});
}

void Rehearsal::average_weights(double share) {
  require(share >= 0 && share <= 1, fmt::format("averages weights with a share of {}", share));
  // A share of 0 makes the average and leaves one that is there alone.
  if (share > 0 || asked_.averaged.empty()) asked_.averaged.emplace_back(step_, share);
}

sdk::Metrics Rehearsal::gradient_norms() const {
  const auto epoch = static_cast<double>(epoch_);
  return {{"backbone.weight", 1.0 + epoch}, {"head.bias", 0.5}};
}

void Rehearsal::set_metric(std::string_view name, double value) {
  require(!name.empty(), "adds a metric without a name");
  metrics_.insert_or_assign(std::string(name), value);
  asked_.added.insert_or_assign(std::string(name), fmt::format("{}", value));
}

}  // namespace bcx::check
