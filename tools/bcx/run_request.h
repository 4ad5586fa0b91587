// What every way of running asks the engine with.
#pragma once

#include "engine/engine.h"
#include "open_experiment.h"

namespace bcx::cli {

/// Borrows `opened`. Throws ErrorList (data) when a file that the experiment names is missing.
engine::RunRequest request_for(const OpenedExperiment& opened);

}  // namespace bcx::cli
