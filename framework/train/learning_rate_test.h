// The learning-rate range test: raise the rate step by step, watch the loss. Plain values, no
// torch.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace bcx::train {

/// Rates from `lowest` to `highest` in `steps` equal factors, one optimizer step each (Smith 2017,
/// "Cyclical learning rates for training neural networks", section 3.3), with the loss smoothed by
/// an exponential mean of weight `beta`, bias-corrected.
class LearningRateRamp {
 public:
  static constexpr std::int64_t steps = 100;
  static constexpr double lowest = 1e-7, highest = 10.0, beta = 0.9;

  double rate(std::int64_t step) const;  ///< lowest * (highest / lowest)^(step / (steps - 1))

  /// The loss of the step made at the next rate.
  void add(double loss);
  /// Over four times the least smoothed loss, or no number: going on would say nothing more.
  bool diverged() const { return diverged_; }

  std::vector<double> rates() const;  ///< of the losses so far
  const std::vector<double>& smoothed() const { return smoothed_; }

  /// The rate at which the smoothed loss falls most steeply over the rate's logarithm, among those
  /// before its least value; without the first 10 (the mean is settling). None when it never falls.
  std::optional<double> suggestion() const;

 private:
  double mean_ = 0;
  std::vector<double> smoothed_;
  double least_ = 0;
  bool diverged_ = false;
};

}  // namespace bcx::train
