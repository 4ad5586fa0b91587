// Pictures from files to logits, as many as there are.
#pragma once

#include "engine/inference.h"
#include "train/observer.h"

namespace bcx::engine {

/// See Engine::predict.
void predict(const PredictRequest& request, const TakePredicted& take, train::Observer& observer);

}  // namespace bcx::engine
