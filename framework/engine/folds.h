// A k-fold experiment: a run for each fold beneath a parent run, and what they say together.
#pragma once

#include "engine/engine.h"

namespace bcx::engine {

/// See Engine::run_folds.
RunOutcome run_folds(const FoldsRequest& request, train::Observer& observer);

/// The experiment with `data.split.fold` set.
config::Experiment fold_experiment(const config::Experiment& experiment, std::int64_t fold);

}  // namespace bcx::engine
