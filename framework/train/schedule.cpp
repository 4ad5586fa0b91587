#include "train/schedule.h"

#include <algorithm>
#include <cmath>
#include <functional>
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
  static const std::vector<std::string> names{"constant",    "step",     "multistep",
                                              "exponential", "cosine",   "cosine_restarts",
                                              "polynomial",  "one_cycle"};
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
  const auto& milestones = config.milestones;
  if (name_ == Name::multistep && milestones.empty())
    refuse("multistep needs to know where its steps are", "schedule.milestones",
           "set it, say to [10, 15]");
  if (std::adjacent_find(milestones.begin(), milestones.end(), std::greater_equal<>()) !=
      milestones.end())
    refuse("expected numbers that rise", "schedule.milestones", "sort them");
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
    case Name::multistep: {
      const auto passed = std::upper_bound(config_.milestones.begin(), config_.milestones.end(), t,
                                           [](double at, std::int64_t milestone) {
                                             return at < static_cast<double>(milestone);
                                           }) -
                          config_.milestones.begin();
      return std::max(floor_, std::pow(config_.gamma, static_cast<double>(passed)));
    }
    case Name::exponential:
      return std::max(floor_, std::pow(config_.gamma, t));
    case Name::cosine_restarts:
      return along_cosine(1.0, floor_, restarts(t));
    case Name::polynomial:
      return length > 0.0 ? floor_ + (1.0 - floor_) * std::pow(1.0 - held / length, config_.power)
                          : 1.0;
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

/// The share of its period that t stands at, [0, 1).
double Schedule::restarts(double t) const {
  const double first = static_cast<double>(config_.restart_period);
  const double growth = config_.restart_multiplier;
  if (growth == 1.0) return std::fmod(t, first) / first;
  // Periods before number n end at first (growth^n - 1) / (growth - 1). A logarithm may miss the
  // period by one at its ends.
  const auto start_of = [&](double n) {
    return first * (std::pow(growth, n) - 1.0) / (growth - 1.0);
  };
  double n = std::floor(std::log1p(t / first * (growth - 1.0)) / std::log(growth));
  if (start_of(n) > t) n -= 1.0;
  if (start_of(n + 1.0) <= t) n += 1.0;
  return (t - start_of(n)) / (first * std::pow(growth, n));
}

}  // namespace bcx::train
