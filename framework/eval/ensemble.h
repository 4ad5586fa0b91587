// Several models' predictions of the same samples as one model's.
#pragma once

#include <span>

#include "eval/predictions.h"

namespace bcx::eval {

/// What one model says of the samples, and what its logits are divided by before they are
/// probabilities (temperature.h).
struct EnsembleMember {
  Predictions predictions;
  double temperature = 1.0;
};

/// The mean of the members' probabilities, as logits: its logarithm in float32, at least log
/// 1e-300, so that softmax gives the mean again. Not-a-number of any member stays not-a-number.
/// Throws std::invalid_argument without members, and when their samples, targets or classes differ.
Predictions mean_of(std::span<const EnsembleMember> members);

}  // namespace bcx::eval
