// Trying an experiment without recording it: a few steps, a learning-rate test.
#pragma once

#include "engine/engine.h"

namespace bcx::engine {

/// See Engine::rehearse.
Rehearsal rehearse(const RunRequest& request, std::int64_t steps, train::Observer& observer);

/// See Engine::find_learning_rate.
LearningRateTest find_learning_rate(const RunRequest& request, train::Observer& observer);

}  // namespace bcx::engine
