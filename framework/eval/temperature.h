// Temperature scaling (Guo et al. 2017): probabilities that mean what they say.
#pragma once

#include "eval/predictions.h"

namespace bcx::eval {

/// Limits of a fitted temperature: logits that separate the classes, or say nothing, have none.
inline constexpr double temperature_min = 0.01, temperature_max = 100.0;

struct Temperature {
  double value = 1.0;
  double loss_before = 0.0, loss_after = 0.0;  ///< mean cross-entropy of what it was fitted on
  bool at_limit = false;                       ///< value is a limit: calibration is not to be had
};

/// The T that minimises the mean cross-entropy of softmax(logits / T): Newton's method, bisecting
/// where it leaves the bracket, on b = 1 / T, in which that loss is convex. To be fitted on
/// validation or out-of-fold predictions, never on those that it is judged by. Ranks, and with two
/// classes the AUC, stay as they are. Throws bcx::Error (data) without samples or when a logit is
/// not finite.
Temperature fit_temperature(const Predictions& predictions);

/// softmax(logits / temperature), temperature > 0, otherwise std::invalid_argument.
Probabilities tempered(std::span<const float> logits, int classes, double temperature);

}  // namespace bcx::eval
