#include "engine/rehearsal.h"

#include <fmt/format.h>
#include <torch/utils.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "base/error.h"
#include "base/hash.h"
#include "base/signals.h"
#include "base/text.h"
#include "base/timing.h"
#include "engine/run_record.h"
#include "engine/training_setup.h"
#include "train/device.h"
#include "train/forward.h"
#include "train/learning_rate_test.h"

namespace bcx::engine {
namespace {

using Clock = std::chrono::steady_clock;

/// Data, model and batches of an experiment, without a run.
class Trial {
 public:
  Trial(const RunRequest& request, train::Observer& observer)
      : e_(request.experiment),
        threads_(train::apply_process_settings(
            {static_cast<int>(e_.train.threads), e_.train.deterministic})),
        device_(train::resolve_device(e_.train.device)),
        data_(prepare_data(e_, request.catalog, observer)),
        setup_(request, data_, device_),
        order_(train::epoch_order(setup_.candidates, e_.train.sampler, e_.seed, 0)),
        times_(train::repetitions(order_)),
        batches_(train::batches(order_, e_.train.batch_size, e_.train.last_batch)) {
    if (e_.train.precision == "auto")
      setup_.choose_precision(e_);
    else
      setup_.step.set_precision(train::precision_named(e_.train.precision));
  }

  /// One optimizer step on the next batches (from the start again at the end of the epoch). Waits
  /// for the device. Returns the loss.
  double step() {
    throw_if_stopped("trying steps");
    const auto micro_steps =
        std::min<std::size_t>(static_cast<std::size_t>(e_.train.accumulate), batches_.size());
    if (next_ + micro_steps > batches_.size()) next_ = 0;
    const std::size_t first = next_;
    next_ += micro_steps;
    samples_ = 0;
    for (std::size_t i = 0; i < micro_steps; ++i) samples_ += std::ssize(batches_[first + i]);
    const auto values = setup_.step.run(
        static_cast<std::int64_t>(micro_steps), samples_,
        [&](std::int64_t i) {
          const auto& batch = batches_[first + static_cast<std::size_t>(i)];
          const auto at = static_cast<std::size_t>(batch.data() - order_.data());
          return setup_.input.training(batch, std::span(times_).subspan(at, batch.size()), 0);
        },
        {0, steps_++});
    return values.loss.item<double>();
  }

  void validate() {
    const auto indexes = data_.part(data::Part::validation);
    const auto count =
        std::min<std::size_t>(indexes.size(), static_cast<std::size_t>(e_.train.batch_size));
    if (count == 0) return;
    train::forward_all(*setup_.model.classifier.object, setup_.model.classifier.site, setup_.input,
                       std::span(indexes).first(count), setup_.step.context(),
                       {.precision = setup_.step.settings().precision,
                        .batch_size = e_.train.batch_size,
                        .views = 1});
  }

  /// In the last step.
  std::int64_t samples() const { return samples_; }

  std::int64_t steps_per_epoch() const {
    const auto accumulate = static_cast<std::size_t>(e_.train.accumulate);
    return static_cast<std::int64_t>((batches_.size() + accumulate - 1) / accumulate);
  }

  const config::Experiment& e_;
  int threads_;
  at::Device device_;
  PreparedData data_;
  TrainingSetup setup_;

 private:
  std::vector<std::int64_t> order_, times_;
  std::vector<std::span<const std::int64_t>> batches_;
  std::size_t next_ = 0;
  std::int64_t steps_ = 0, samples_ = 0;
};

/// Everything that a training step changes, put aside; and its digest.
class StateFork {
 public:
  explicit StateFork(TrainingSetup& setup) {
    tensors_ = {setup.model.parameters.values(), setup.model.parameters.buffers()};
    for (const auto& item : setup.optimizer.object->state()) tensors_.push_back(item.tensor);
    for (const auto& item : setup.step.state()) tensors_.push_back(item.tensor);
    if (setup.step.average_values().defined()) {
      tensors_.push_back(setup.step.average_values());
      tensors_.push_back(setup.step.average_buffers());
    }
    torch::NoGradGuard no_grad;
    for (const auto& tensor : tensors_) copies_.push_back(tensor.clone());
    digest_ = digest();
  }

  /// Throws bcx::Error when the state is not, to the bit, what it was.
  void restore() {
    torch::NoGradGuard no_grad;
    for (std::size_t i = 0; i < tensors_.size(); ++i) tensors_[i].copy_(copies_[i]);
    if (digest() != digest_)
      throw Error(ExitCode::other,
                  {"the state after the learning-rate test is not the one before it", "",
                   "this is a mistake in bcx or in a plugin that keeps state of its own"});
  }

 private:
  std::string digest() const {
    Sha256 sum;
    for (const auto& tensor : tensors_) {
      const auto host = tensor.to(at::kCPU).contiguous();
      sum.update({static_cast<const char*>(host.const_data_ptr()), host.nbytes()});
    }
    return sum.hex();
  }

  std::vector<at::Tensor> tensors_, copies_;
  std::string digest_;
};

}  // namespace

Rehearsal rehearse(const RunRequest& request, std::int64_t steps, train::Observer& observer) {
  Trial trial(request, observer);
  Rehearsal result;
  std::vector<double> seconds;
  for (std::int64_t i = 0; i < steps; ++i) {
    const auto begun = Clock::now();
    result.loss = trial.step();
    seconds.push_back(seconds_since(begun));
  }
  trial.validate();
  // The first step warms up: memory, kernels.
  if (seconds.size() > 1) seconds.erase(seconds.begin());
  result.seconds_per_step = median(seconds);
  result.batch_size = trial.e_.train.batch_size;
  result.steps_per_epoch = trial.steps_per_epoch();
  result.samples_per_step = trial.samples();
  result.images_per_second = static_cast<double>(result.samples_per_step) / result.seconds_per_step;
  result.peak_memory = train::peak_memory(trial.device_);
  result.free_memory = train::free_device_memory(trial.device_);
  result.device = train::device_name(trial.device_);
  result.precision = std::string(train::name_of(trial.setup_.step.settings().precision));
  return result;
}

LearningRateTest find_learning_rate(const RunRequest& request, train::Observer& observer) {
  Trial trial(request, observer);
  StateFork fork(trial.setup_);
  auto tracker = tracker::RunWriter::create(request.experiment.tracker,
                                            describe(request, trial.device_, trial.threads_));
  record_data(trial.data_, request.experiment, *tracker);
  try {
    train::LearningRateRamp ramp;
    for (std::int64_t i = 0; i < ramp.steps && !ramp.diverged(); ++i) {
      const double rate = ramp.rate(i);
      trial.setup_.step.set_learning_rate(rate);
      ramp.add(trial.step());
      observer.progress({.phase = "find lr", .done = i + 1, .total = ramp.steps});
    }
    fork.restore();
    LearningRateTest result{tracker->id(), tracker->short_id(), ramp.rates(), ramp.smoothed(),
                            ramp.suggestion()};
    tracker->curve({.kind = "learning_rate_test",
                    .evaluation = std::nullopt,
                    .x_name = "learning_rate",
                    .y_name = "loss",
                    .x = result.rates,
                    .y = result.losses});
    if (result.suggestion)
      tracker->param({.key = "suggested_learning_rate",
                      .value = *result.suggestion,
                      .list = false,
                      .origin = "learning-rate test"});
    tracker->finish(tracker::Status::finished, "learning-rate test");
    return result;
  } catch (const std::exception& error) {
    const bool stopped = stop_signal() != 0;
    tracker->finish(stopped ? tracker::Status::stopped : tracker::Status::failed, error.what());
    throw;
  }
}

}  // namespace bcx::engine
