// Evaluating with the average of the weights.
#pragma once

#include <ATen/core/Tensor.h>

#include "model/parameters.h"
#include "train/step.h"

namespace bcx::engine {

/// The average in the model's place for the scope; nothing when there is none.
class AverageScope {
 public:
  AverageScope(const model::FlatParameters& parameters, const train::StepExecutor& step);
  ~AverageScope();
  AverageScope(const AverageScope&) = delete;
  AverageScope& operator=(const AverageScope&) = delete;

 private:
  const model::FlatParameters& parameters_;
  at::Tensor values_, buffers_;  // those put aside
};

/// The average into the model for good; nothing when there is none.
void keep_average(const model::FlatParameters& parameters, const train::StepExecutor& step);

}  // namespace bcx::engine
