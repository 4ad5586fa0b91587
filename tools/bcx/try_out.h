// `bcx run --dry-run`, `--find-lr` and `--find-batch-size`: what to know before a long run.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "engine/engine.h"
#include "open_experiment.h"

namespace bcx::cli {

/// A few steps, then what a run would take. `json`: one object for programs.
int dry_run(const engine::RunRequest& request, train::Observer& observer, bool json);

/// The range test, its curve drawn. Returns the suggested rate.
std::optional<double> find_learning_rate(const engine::RunRequest& request,
                                         train::Observer& observer, bool json);

/// Doubles the batch size, each in a process of its own (one that the kernel kills is an answer
/// too), until it fits no more or the training part is one batch. Leaves a tenth of the memory.
int find_batch_size(const ExperimentOptions& options, const config::Experiment& experiment,
                    bool json);

}  // namespace bcx::cli
