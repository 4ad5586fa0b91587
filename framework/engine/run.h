// One run from data to final evaluation.
#pragma once

#include "engine/engine.h"

namespace bcx::engine {

/// See Engine::run.
RunOutcome run_experiment(const RunRequest& request, train::Observer& observer);

}  // namespace bcx::engine
