// Learning-rate schedules: pure functions of the position in a run. Plain values, no torch.
#pragma once

#include "config/experiment.h"

namespace bcx::train {

/// What the base learning rate is multiplied with at each position of a run.
///
///     const Schedule schedule(experiment.schedule, experiment.learning_rate, horizon);
///     rate = base * schedule.factor(position);
///
/// `base` starts as optimizer.learning_rate and belongs to the callbacks (reduce_lr_on_plateau
/// lowers it), so that a plateau rule and a schedule multiply. Positions, the horizon and
/// everything else that counts time are in the schedule's unit (epochs or steps), counted from 0,
/// and may be fractional: 2.5 is the middle of the third epoch.
///
/// With t = position - warmup and T = horizon - warmup (both at least 0; t is held at T, so that an
/// extended run keeps its last rate), r = min_learning_rate / learning_rate (at most 1):
///
///     constant    1
///     step        max(r, gamma ^ floor(t / step_size))                              StepLR
///     multistep   max(r, gamma ^ number of milestones at or before t)               MultiStepLR
///     exponential max(r, gamma ^ t)                                                 ExponentialLR
///     polynomial  r + (1 - r) (1 - t / T) ^ power                                   PolynomialLR
///     cosine_restarts
///                 r + (1 - r) (1 + cos(pi s / L)) / 2, s into a period of length L; the first one
///                 has L = restart_period, each further one restart_multiplier times the one before
///                                     Loshchilov & Hutter 2017, CosineAnnealingWarmRestarts
///     cosine      r + (1 - r) (1 + cos(pi t / T)) / 2        Loshchilov & Hutter 2017,
///     CosineAnnealingLR one_cycle   from 1 / div_factor up to 1 at t = pct_start (T + 1) - 1, then
///     down to
///                 1 / (div_factor final_div_factor) at T, both along half a cosine
///                                                            Smith & Topin 2019, OneCycleLR of T +
///                                                            1 steps
///
/// "step", "multistep", "exponential" and "cosine_restarts" are not held at T. Before `warmup`
/// units have passed the factor rises linearly from warmup_factor to 1 (Goyal et al. 2017,
/// LinearLR); one_cycle has its own rise and no warm-up. Names on the right are PyTorch's
/// schedulers, which these agree with at whole positions to 1e-12.
///
/// Immutable; safe to share between threads.
class Schedule {
 public:
  /// `horizon`: the run's length in the schedule's unit; stands in when config.horizon is 0.
  /// Throws bcx::Error (usage) for an unknown name, for a warm-up that is not shorter than the
  /// horizon, for a warm-up with one_cycle, and for milestones that are none or do not rise.
  Schedule(const config::ScheduleConfig& config, double learning_rate, double horizon);

  /// Defined for position >= 0; never negative.
  double factor(double position) const;

  double horizon() const { return horizon_; }

 private:
  double shape(double t) const;  // after the warm-up

  double restarts(double t) const;

  enum class Name {
    constant,
    step,
    multistep,
    exponential,
    cosine,
    cosine_restarts,
    polynomial,
    one_cycle
  };
  config::ScheduleConfig config_;
  Name name_;
  double floor_;    // r above
  double horizon_;  // in units
};

}  // namespace bcx::train
