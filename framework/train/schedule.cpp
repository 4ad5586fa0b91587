#include "train/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/text.h"

namespace bcx::train {
namespace {

/// From `start` at 0 to `end` at 1 along half a cosine.
double along_cosine(double start, double end, double share) {
  return end + (start - end) / 2.0 * (1.0 + std::cos(std::numbers::pi * share));
}

[[noreturn]] void refuse(std::string what, std::string where, std::string remedy) {
  throw Error(ExitCode::usage, {std::move(what), std::move(where), std::move(remedy)});
}

}  // namespace

Schedule::Schedule(const config::ScheduleConfig& config, double learning_rate, double horizon)
    : config_(config),
      floor_(learning_rate > 0.0 ? std::min(config.min_learning_rate / learning_rate, 1.0) : 0.0),
      horizon_(config.horizon > 0.0 ? config.horizon : horizon) {
  static const std::vector<std::string> names{"constant", "step", "cosine", "one_cycle"};
  const auto found = std::find(names.begin(), names.end(), config.name);
  if (found == names.end())
    refuse("unknown schedule \"" + printable(config.name) + "\"", "schedule.name",
           did_you_mean(config.name, names));
  name_ = static_cast<Name>(found - names.begin());
  if (config.warmup > 0.0 && name_ == Name::one_cycle)
    refuse("one_cycle has its own warm-up", "schedule.warmup", "set schedule.pct_start instead");
  if (config.warmup > 0.0 && config.warmup >= horizon_)
    refuse("a warm-up of " + shortest(config.warmup) + " leaves nothing of the schedule's " +
               shortest(horizon_) + " " + config.unit + "s",
           "schedule.warmup", "make it shorter");
}

double Schedule::factor(double position) const {
  if (position < config_.warmup)
    return config_.warmup_factor +
           (1.0 - config_.warmup_factor) * std::max(position, 0.0) / config_.warmup;
  return shape(position - config_.warmup);
}

double Schedule::shape(double t) const {
  const double length = std::max(horizon_ - config_.warmup, 0.0);
  const double held = std::clamp(t, 0.0, length);
  switch (name_) {
    case Name::constant:
      return 1.0;
    case Name::step:
      return std::max(
          floor_, std::pow(config_.gamma, std::floor(t / static_cast<double>(config_.step_size))));
    case Name::cosine:
      return length > 0.0 ? along_cosine(1.0, floor_, held / length) : 1.0;
    case Name::one_cycle: {
      const double start = 1.0 / config_.div_factor, end = start / config_.final_div_factor;
      const double peak = std::max(config_.pct_start * (length + 1.0) - 1.0, 0.0);
      if (held < peak) return along_cosine(start, 1.0, held / peak);
      return length > peak ? along_cosine(1.0, end, (held - peak) / (length - peak)) : 1.0;
    }
  }
  return 1.0;
}

}  // namespace bcx::train
