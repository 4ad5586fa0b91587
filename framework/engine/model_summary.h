// What a model is made of: the table at the start of a run and what `bcx check --model` adds to it.
#pragma once

#include <string>

#include "config/experiment.h"
#include "plugin/catalog.h"

namespace bcx::model {
class Classifier;
}

namespace bcx::engine {

/// Parameters by part of the network, and how many of them are trained.
std::string parts_table(const model::Classifier& classifier);

/// Parameters by part of the network, and memory: values, gradients, optimizer state, and the peak
/// of one training step at the experiment's batch size, measured by running it on zeros.
std::string model_summary(const config::Experiment& experiment,
                          const plugin::PluginCatalog& catalog);

}  // namespace bcx::engine
