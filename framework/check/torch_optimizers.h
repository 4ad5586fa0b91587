// LibTorch's own optimizers, for comparison with components that bear their names.
#pragma once

#include <torch/optim.h>

#include <memory>
#include <string>

#include "check/subject.h"

namespace bcx::check {

/// True for sgd, adam and adamw with exactly the parameters that bcx's own have.
bool torch_has(const config::ComponentSpec& spec);

/// LibTorch's optimizer of that name over one tensor.
std::unique_ptr<torch::optim::Optimizer> torch_optimizer(const std::string& name,
                                                         const Values& values,
                                                         const at::Tensor& parameters,
                                                         double learning_rate);

}  // namespace bcx::check
