#include "engine/average_scope.h"

#include <torch/utils.h>

namespace bcx::engine {

void keep_average(const model::FlatParameters& parameters, const train::StepExecutor& step) {
  if (!step.average_values().defined()) return;
  torch::NoGradGuard no_grad;
  parameters.values().copy_(step.average_values());
  parameters.buffers().copy_(step.average_buffers());
}

AverageScope::AverageScope(const model::FlatParameters& parameters, const train::StepExecutor& step)
    : parameters_(parameters) {
  if (!step.average_values().defined()) return;
  torch::NoGradGuard no_grad;
  values_ = parameters.values().clone();
  buffers_ = parameters.buffers().clone();
  keep_average(parameters, step);
}

AverageScope::~AverageScope() {
  if (!values_.defined()) return;
  torch::NoGradGuard no_grad;
  parameters_.values().copy_(values_);
  parameters_.buffers().copy_(buffers_);
}

}  // namespace bcx::engine
