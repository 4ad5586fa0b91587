// What the loop does with the values of its steps: recording them, and judging those that are not
// finite (train.not_finite).
#include <fmt/format.h>
#include <torch/types.h>

#include <cmath>

#include "base/error.h"
#include "base/text.h"
#include "train/loop.h"

namespace bcx::train {
namespace {

/// On a GPU, values of this many steps are read back at once: reading waits for the device.
constexpr std::size_t read_back_interval = 50;

/// From 2^24, where the loss scale of fp16 ends, down to 1 it is halved 24 times.
constexpr std::int64_t overflows_to_expect = 30;

}  // namespace

void TrainLoop::record(const StepValues& values, double seconds) {
  parts_.tracker.metric(time_key_, cursor_.step, recorded_epoch(), seconds);
  pending_.push_back({cursor_.step, values.loss, values.gradient_norm});
  if (parts_.input.device().is_cpu() || pending_.size() >= read_back_interval) read_back();
}

void TrainLoop::read_back() {
  if (pending_.empty()) return;
  std::vector<at::Tensor> scalars;
  for (const auto& p : pending_) {
    scalars.push_back(p.loss.to(at::kDouble));
    scalars.push_back(p.gradient_norm);
  }
  const auto host = at::stack(scalars).to(at::kCPU);
  const auto value = host.accessor<double, 1>();
  std::map<std::string, std::vector<double>, std::less<>> series;
  for (std::size_t i = 0; i < pending_.size(); ++i) {
    const double loss = value[static_cast<std::int64_t>(2 * i)];
    const double norm = value[static_cast<std::int64_t>(2 * i + 1)];
    parts_.tracker.metric(loss_key_, pending_[i].step, recorded_epoch(), loss);
    parts_.tracker.metric(norm_key_, pending_[i].step, recorded_epoch(), norm);
    series["train.step_loss"].push_back(loss);
    series["grad_norm"].push_back(norm);
  }
  const std::int64_t first = pending_.front().step;
  pending_.clear();
  const bool stopping = stop_;
  call("values were read back", [&](sdk::Callback& c) { c.on_metrics(*this, first, series); });
  judge(first, series["train.step_loss"], series["grad_norm"], stop_ && !stopping);
}

/// What train.not_finite has to say about these steps, unless a callback saw to it just now.
void TrainLoop::judge(std::int64_t first, const std::vector<double>& losses,
                      const std::vector<double>& norms, bool callback_stops) {
  const auto& policy = parts_.experiment.train.not_finite;
  const bool scaled = parts_.step.settings().precision == Precision::fp16;
  for (std::size_t i = 0; i < losses.size(); ++i) {
    const bool loss_good = std::isfinite(losses[i]);
    const bool overflow = scaled && loss_good && !std::isfinite(norms[i]);
    if (overflow && ++overflows_in_a_row_ <= overflows_to_expect) continue;
    if (!overflow) overflows_in_a_row_ = 0;
    if (loss_good && std::isfinite(norms[i])) {
      skipped_in_a_row_ = 0;
      continue;
    }
    const double value = loss_good ? norms[i] : losses[i];
    const auto what =
        fmt::format("the {} is {} at step {} (epoch {})", loss_good ? "gradient's norm" : "loss",
                    std::isnan(value) ? "nan" : shortest(value),
                    first + static_cast<std::int64_t>(i), cursor_.epoch + 1);
    if (policy == "stop" || callback_stops) return end_diverged(what);
    if (policy == "roll_back") {
      trouble_ = what;
      return;
    }
    skipped(what);
  }
}

/// The state is spoilt (running statistics took up what is not finite): without a best checkpoint
/// and a callback that wants to stop with it, that is an error.
void TrainLoop::end_diverged(const std::string& what) {
  parts_.checkpoints.wait();
  diverged_ = stop_ && best();
  if (diverged_) return;
  throw Error(ExitCode::other,
              {what, "", "lower optimizer.learning_rate, add a warm-up, or set train.clip_norm"});
}

void TrainLoop::skipped(const std::string& what) {
  parts_.tracker.event(tracker::Level::warning, what + ": skipped");
  if (skipped_in_a_row_ == 0) parts_.observer.message(Tone::warning, what + ": skipped");
  const auto limit = parts_.experiment.train.not_finite_limit;
  if (++skipped_in_a_row_ <= limit) return;
  throw Error(
      ExitCode::other,
      {fmt::format("{}, after {} skipped step{} in a row", what, limit, limit == 1 ? "" : "s"), "",
       "lower optimizer.learning_rate, or go back with train.not_finite = "
       "\"roll_back\""});
}

}  // namespace bcx::train
