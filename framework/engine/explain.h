// Where a model looks, picture by picture.
#pragma once

#include "engine/inference.h"
#include "train/observer.h"

namespace bcx::engine {

/// See Engine::explain.
void explain(const ExplainRequest& request, const TakeExplained& take, train::Observer& observer);

}  // namespace bcx::engine
