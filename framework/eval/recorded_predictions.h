// What a tracker keeps of an evaluation, as eval takes it.
#pragma once

#include <cstddef>
#include <span>

#include "eval/predictions.h"
#include "tracker/reader.h"

namespace bcx::eval {

/// Predictions in the order of `rows`, the logits divided by `temperature`: by the run's own, they
/// give the probabilities that it was judged by. With groups when every sample has one.
Predictions recorded_predictions(std::span<const tracker::PredictionShown> rows,
                                 std::size_t classes, double temperature = 1.0);

}  // namespace bcx::eval
