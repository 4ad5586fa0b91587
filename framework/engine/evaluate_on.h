// A finished run's model on other data, as a run of its own.
#pragma once

#include "engine/engine.h"

namespace bcx::engine {

/// See Engine::evaluate.
RunOutcome evaluate_on(const EvaluateRequest& request, train::Observer& observer);

}  // namespace bcx::engine
