// What callbacks ask of the loop: sdk::CallbackContext.
#include <fmt/format.h>

#include <cmath>

#include "base/error.h"
#include "base/text.h"
#include "base/timing.h"
#include "train/checkpoint_manifest.h"
#include "train/loop.h"

namespace bcx::train {
namespace {

void require_tag(std::string_view tag) {
  if (!is_checkpoint_tag(tag))
    throw Error(ExitCode::plugin,
                {fmt::format("asked for a checkpoint called \"{}\"", printable(clip(tag, 60))), "",
                 "use letters, digits, -, _ and ., at most 64, not last- at the start"});
}

}  // namespace

double TrainLoop::elapsed_seconds() const {
  return seconds_since(started_);
}

void TrainLoop::set_learning_rate(double rate) {
  if (!(rate >= 0) || !std::isfinite(rate))
    throw Error(ExitCode::plugin, fmt::format("asked for a learning rate of {}", shortest(rate)));
  // Into the record only: callbacks that lower it say so themselves.
  if (rate != base_rate_)
    parts_.tracker.event(tracker::Level::info, fmt::format("base learning rate {} -> {}",
                                                           shortest(base_rate_), shortest(rate)));
  base_rate_ = rate;
}

void TrainLoop::set_batch_size(std::int64_t size) {
  if (size < 1) throw Error(ExitCode::plugin, fmt::format("asked for a batch size of {}", size));
  batch_size_ = size;
}

void TrainLoop::set_frozen(const std::vector<std::string>& patterns) {
  frozen_ = patterns;
  frozen_by_callback_ = true;
  parts_.step.set_frozen(frozen_);
}

void TrainLoop::request_checkpoint(const sdk::CheckpointRequest& request) {
  require_tag(request.tag);
  if (request.best && best_tag_.empty()) best_tag_ = request.tag;
  wanted_checkpoints_[request.tag] = request;
}

void TrainLoop::remove_checkpoint(std::string_view tag) {
  require_tag(tag);
  wanted_checkpoints_.erase(std::string(tag));
  unwanted_checkpoints_.emplace_back(tag);
}

void TrainLoop::average_weights(double share) {
  if (!(share >= 0.0 && share <= 1.0))
    throw Error(
        ExitCode::plugin,
        fmt::format("asked for an average with a share of {}, expected 0 to 1", shortest(share)));
  parts_.step.average_weights(share);
}

sdk::Metrics TrainLoop::gradient_norms() const {
  return parts_.step.gradient_norms();
}

void TrainLoop::set_metric(std::string_view name, double value) {
  metrics_[std::string(name)] = value;
}

void TrainLoop::request_stop(std::string_view reason) {
  stop_ = true;
  stop_reason_ = reason;
  log(fmt::format("stopping: {}", reason));
}

void TrainLoop::log(std::string_view message) {
  parts_.observer.message(Tone::note, message);
  parts_.tracker.event(tracker::Level::info, std::string(message));
}

void TrainLoop::io(std::function<void()> work) {
  parts_.tracker.io(std::move(work));
}

}  // namespace bcx::train
