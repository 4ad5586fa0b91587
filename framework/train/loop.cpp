#include "train/loop.h"

#include <fmt/format.h>
#include <torch/types.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/signals.h"
#include "base/timing.h"
#include "train/device.h"

namespace bcx::train {
namespace {

using Clock = std::chrono::steady_clock;

double horizon_of(const config::Experiment& experiment, std::size_t samples) {
  const auto& train = experiment.train;
  if (experiment.schedule.unit == "epoch") return static_cast<double>(train.epochs);
  // Counted, since a small last batch may be dropped or join the one before it.
  const auto cut =
      batches(std::vector<std::int64_t>(samples), train.batch_size, train.last_batch).size();
  return std::ceil(static_cast<double>(cut) / static_cast<double>(train.accumulate)) *
         static_cast<double>(train.epochs);
}

}  // namespace

TrainLoop::TrainLoop(LoopParts parts)
    : parts_(std::move(parts)),
      schedule_(parts_.experiment.schedule, parts_.experiment.learning_rate,
                horizon_of(parts_.experiment, parts_.candidates.indexes.size())),
      batch_size_(parts_.experiment.train.batch_size),
      epoch_batch_size_(batch_size_),
      base_rate_(parts_.experiment.learning_rate),
      frozen_(parts_.experiment.train.freeze),
      folder_(parts_.tracker.folder().string()),
      started_(Clock::now()),
      loss_key_(parts_.tracker.key("train.step_loss")),
      norm_key_(parts_.tracker.key("grad_norm")),
      time_key_(parts_.tracker.key("time.step")) {
  parts_.step.set_frozen(frozen_);
}

LoopEnd TrainLoop::run() {
  try {
    run_to_the_end();
  } catch (...) {
    say_ended_after_error();
    throw;
  }
  parts_.checkpoints.wait();
  parts_.tracker.flush();
  return stopped_ ? LoopEnd::stopped : LoopEnd::finished;
}

/// What a callback throws now would hide what ended the run.
void TrainLoop::say_ended_after_error() noexcept {
  for (auto& callback : parts_.callbacks) {
    try {
      callback.site("told that the run ended", [&] { callback.object->on_run_end(*this); });
    } catch (const std::exception&) {
    }
  }
}

void TrainLoop::run_epochs() {
  // An epoch whose validation is still due is ended, also when a callback asked for a stop in it.
  while (cursor_.epoch < epochs() && (!stop_ || validating_) && !stopped_) {
    const auto begun = Clock::now();
    if (!validating_) train_epoch();
    if (diverged_ || !trouble_.empty()) return;
    if (!stopped_) stopped_ = end_epoch(seconds_since(begun));
    if (!trouble_.empty()) return;
  }
  // Without a checkpoint callback, or stopped between its checkpoints.
  if (!is_saved()) save({.tag = "last"});
}

void TrainLoop::run_to_the_end() {
  call("the run began", [&](sdk::Callback& c) { c.on_run_begin(*this); });
  const bool may_roll_back = parts_.experiment.train.not_finite == "roll_back";
  if (may_roll_back && parts_.checkpoints.good().empty()) save({.tag = "last"});
  for (run_epochs(); !trouble_.empty(); run_epochs()) roll_back();
  call("the run ended", [&](sdk::Callback& c) { c.on_run_end(*this); });
}

void TrainLoop::train_epoch() {
  apply_stage();
  epoch_samples_here_ = 0;
  if (cursor_.samples == 0) {
    metrics_.clear();
    parts_.step.clear_totals();
    call("an epoch began", [&](sdk::Callback& c) { c.on_epoch_begin(*this); });
    epoch_batch_size_ = batch_size_;
  }
  const auto& train = parts_.experiment.train;
  const auto order =
      epoch_order(parts_.candidates, train.sampler, parts_.experiment.seed, cursor_.epoch);
  const auto times = repetitions(order);
  auto all = batches(order, epoch_batch_size_, train.last_batch);
  if (train.limit_batches > 0 && std::ssize(all) > train.limit_batches)
    all.resize(static_cast<std::size_t>(train.limit_batches));
  const auto begun = Clock::now();
  const auto accumulate = static_cast<std::size_t>(train.accumulate);
  std::int64_t seen = 0;
  for (std::size_t first = 0; first < all.size(); first += accumulate) {
    const auto group = std::span(all).subspan(first, std::min(accumulate, all.size() - first));
    std::int64_t samples = 0;
    for (const auto& batch : group) samples += static_cast<std::int64_t>(batch.size());
    seen += samples;
    if (seen <= cursor_.samples) continue;  // consumed before the resume
    const auto next = std::span(all).subspan(std::min(first + accumulate, all.size()));
    for (const auto& batch : next.first(std::min(accumulate, next.size())))
      parts_.input.read_ahead(batch);
    one_step(group, std::span(times).subspan(static_cast<std::size_t>(seen - samples)));
    if (diverged_ || !trouble_.empty()) return;
    report_progress(first + group.size(), all.size(), seconds_since(begun));
    // At the last step the epoch is ended first: a checkpoint then stands at its boundary.
    if (first + accumulate < all.size() && interrupted()) return;
  }
  read_back();
}

void TrainLoop::one_step(std::span<const std::span<const std::int64_t>> group,
                         std::span<const std::int64_t> times) {
  const auto begun = Clock::now();
  apply_rate();
  std::int64_t samples = 0;
  for (const auto& batch : group) samples += static_cast<std::int64_t>(batch.size());
  const auto make_batch = [&](std::int64_t i) {
    const auto& batch = group[static_cast<std::size_t>(i)];
    std::size_t first = 0;
    for (const auto& before : group.first(static_cast<std::size_t>(i))) first += before.size();
    return parts_.input.training(batch, times.subspan(first, batch.size()), cursor_.epoch);
  };
  const auto parts = parts_.step.parts();
  const auto values = parts_.step.run(static_cast<std::int64_t>(group.size()), samples, make_batch,
                                      {cursor_.epoch, cursor_.step});
  cursor_.samples += samples;
  epoch_samples_here_ += samples;
  ++cursor_.step;
  if (parts_.step.parts() != parts) note_parts();
  if (const auto note = parts_.step.take_note(); !note.empty()) log(note);
  parts_.checkpoints.check();
  record(values, seconds_since(begun));
  if (diverged_ || !trouble_.empty()) return;
  call("a step ended", [&](sdk::Callback& c) { c.on_step_end(*this); });
}

/// Memory ran out, and the step was made in parts.
void TrainLoop::note_parts() {
  const auto text = fmt::format(
      "out of memory at step {}: each batch goes through the network in "
      "{} parts from now on",
      cursor_.step, parts_.step.parts());
  parts_.observer.message(Tone::warning, text);
  parts_.tracker.event(tracker::Level::warning, text);
  if (!parts_.parameters.statistics().empty())
    parts_.tracker.stamp("MICROBATCHES",
                         fmt::format("batch statistics are those of a batch's {} parts from step "
                                     "{} on",
                                     parts_.step.parts(), cursor_.step));
}

void TrainLoop::end_steps(double seconds) {
  const auto totals = parts_.step.totals();
  metrics_["train.loss"] = totals.loss;
  metrics_["train.accuracy"] = totals.accuracy;
  if (totals.skipped > 0) metrics_["train.skipped_steps"] = static_cast<double>(totals.skipped);
  metrics_["learning_rate"] = rate();
  metrics_["time.epoch"] = seconds;
  metrics_["images_per_second"] =
      static_cast<double>(epoch_samples_here_) / std::max(seconds, 1e-9);
  metrics_["memory.peak"] = static_cast<double>(peak_memory(parts_.input.device()));
  call("an epoch's steps are done", [&](sdk::Callback& c) { c.on_train_epoch_end(*this); });
  validating_ = true;
}

/// False when a signal came: the state is saved as it stood before, and a resume validates anew.
bool TrainLoop::validate() {
  try {
    for (const auto& [name, value] : parts_.validate()) metrics_[name] = value;
  } catch (const Error& error) {
    if (error.code() != ExitCode::stopped) throw;
    save({.tag = "last"});
    return false;
  }
  call("validation ended", [&](sdk::Callback& c) { c.on_validation_end(*this); });
  return true;
}

/// True when the run is to stop.
bool TrainLoop::end_epoch(double seconds) {
  if (!validating_) end_steps(seconds);
  if (parts_.validate && !validate()) return true;
  validating_ = false;
  call("an epoch ended", [&](sdk::Callback& c) { c.on_epoch_end(*this); });
  parts_.parameters.check_views("in this epoch, by a callback or the backbone");
  const std::vector<std::pair<std::string, double>> values(metrics_.begin(), metrics_.end());
  parts_.tracker.epoch_metrics(recorded_epoch(), cursor_.step, values);
  parts_.observer.epoch(cursor_.epoch, epochs(), values);
  ++cursor_.epoch;
  cursor_.samples = 0;
  parts_.step.clear_totals();
  save_requested();
  if (checkpoint_requested() && !is_saved()) save({.tag = "last"});
  return cursor_.epoch < epochs() && !stop_ && stop_requested();
}

bool TrainLoop::interrupted() {
  const bool save_now = checkpoint_requested();
  if (save_now || stop_requested() || stop_ || !wanted_checkpoints_.empty()) read_back();
  if (diverged_ || !trouble_.empty()) return true;
  save_requested();
  if (save_now) {
    if (!is_saved()) save({.tag = "last"});
    parts_.observer.message(Tone::note,
                            fmt::format("checkpoint at step {} (SIGUSR1)", cursor_.step));
  }
  if (!trouble_.empty()) return true;
  if (!stop_requested() && !stop_) return false;
  if (stop_requested()) stopped_ = true;
  return true;
}

void TrainLoop::apply_stage() {
  if (!frozen_by_callback_) {
    for (const auto& stage : parts_.experiment.train.stages)
      if (stage.epoch <= cursor_.epoch) frozen_ = stage.freeze;
  }
  parts_.step.set_frozen(frozen_);
}

double TrainLoop::rate() const {
  const bool by_epoch = parts_.experiment.schedule.unit == "epoch";
  return base_rate_ *
         schedule_.factor(static_cast<double>(by_epoch ? cursor_.epoch : cursor_.step));
}

void TrainLoop::apply_rate() {
  parts_.step.set_learning_rate(rate());
}

void TrainLoop::report_progress(std::size_t done, std::size_t total, double seconds) {
  Progress progress{
      .phase = "train",
      .done = static_cast<std::int64_t>(done),
      .total = static_cast<std::int64_t>(total),
      .epoch = cursor_.epoch,
      .epochs = epochs(),
      .images_per_second = static_cast<double>(epoch_samples_here_) / std::max(seconds, 1e-9)};
  if (parts_.input.device().is_cpu()) {
    const auto totals = parts_.step.totals();
    progress.loss = totals.loss;
    progress.accuracy = totals.accuracy;
  }
  parts_.observer.progress(progress);
}

void TrainLoop::call(std::string_view when, const std::function<void(sdk::Callback&)>& what) {
  for (auto& callback : parts_.callbacks)
    callback.site(fmt::format("told that {}", when), [&] { what(*callback.object); });
}

}  // namespace bcx::train
