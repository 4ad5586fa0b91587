// The table that `bcx check --model` prints.
#pragma once

#include <string>

#include "config/experiment.h"
#include "plugin/catalog.h"

namespace bcx::engine {

/// Parameters by part of the network, and memory: values, gradients, optimizer state, and the peak
/// of one training step at the experiment's batch size, measured by running it on zeros.
std::string model_summary(const config::Experiment& experiment,
                          const plugin::PluginCatalog& catalog);

}  // namespace bcx::engine
