#include "train/learning_rate_test.h"

#include <algorithm>
#include <cmath>

namespace bcx::train {

double LearningRateRamp::rate(std::int64_t step) const {
  return lowest *
         std::pow(highest / lowest, static_cast<double>(step) / static_cast<double>(steps - 1));
}

void LearningRateRamp::add(double loss) {
  if (!std::isfinite(loss)) {
    diverged_ = true;
    return;
  }
  mean_ = beta * mean_ + (1 - beta) * loss;
  const double smoothed = mean_ / (1 - std::pow(beta, static_cast<double>(smoothed_.size()) + 1.0));
  least_ = smoothed_.empty() ? smoothed : std::min(least_, smoothed);
  smoothed_.push_back(smoothed);
  diverged_ = smoothed > 4 * least_;
}

std::vector<double> LearningRateRamp::rates() const {
  std::vector<double> rates;
  for (std::size_t i = 0; i < smoothed_.size(); ++i)
    rates.push_back(rate(static_cast<std::int64_t>(i)));
  return rates;
}

std::optional<double> LearningRateRamp::suggestion() const {
  constexpr std::size_t settling = 10;
  if (smoothed_.size() < settling + 3) return std::nullopt;
  const auto last = static_cast<std::size_t>(
      std::min_element(smoothed_.begin() + settling, smoothed_.end()) - smoothed_.begin());
  std::optional<double> rate_there;
  double steepest = -1e-9;  // less is rounding
  // The rates are equally far apart in their logarithm: differences are slopes.
  for (std::size_t i = settling; i < last; ++i) {
    const double slope = (smoothed_[std::min(i + 1, last)] - smoothed_[i - 1]) / 2;
    if (slope >= steepest) continue;
    steepest = slope;
    rate_there = rate(static_cast<std::int64_t>(i));
  }
  return rate_there;
}

}  // namespace bcx::train
