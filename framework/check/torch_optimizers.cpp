#include "check/torch_optimizers.h"

#include <torch/optim/adam.h>
#include <torch/optim/adamw.h>
#include <torch/optim/sgd.h>

#include <set>

namespace bcx::check {
namespace {

double real(const Values& values, std::string_view name) {
  return std::get<double>(values.find(name)->second);
}
bool flag(const Values& values, std::string_view name) {
  return std::get<bool>(values.find(name)->second);
}

// Adam's and AdamW's options have the same members and no common base.
template <typename Options>
Options adam_options(const Values& values, double learning_rate) {
  return Options(learning_rate)
      .betas({real(values, "beta1"), real(values, "beta2")})
      .eps(real(values, "eps"))
      .weight_decay(real(values, "weight_decay"))
      .amsgrad(flag(values, "amsgrad"));
}

}  // namespace

bool torch_has(const config::ComponentSpec& spec) {
  static const std::set<std::string> sgd{"momentum", "dampening", "nesterov", "weight_decay"};
  static const std::set<std::string> adam{"beta1", "beta2", "eps", "weight_decay", "amsgrad"};
  std::set<std::string> names;
  for (const auto& param : spec.params) names.insert(param.name);
  if (spec.name == "sgd") return names == sgd;
  return (spec.name == "adam" || spec.name == "adamw") && names == adam;
}

std::unique_ptr<torch::optim::Optimizer> torch_optimizer(const std::string& name,
                                                         const Values& values,
                                                         const at::Tensor& parameters,
                                                         double learning_rate) {
  const std::vector<at::Tensor> all{parameters};
  if (name == "sgd")
    return std::make_unique<torch::optim::SGD>(all,
                                               torch::optim::SGDOptions(learning_rate)
                                                   .momentum(real(values, "momentum"))
                                                   .dampening(real(values, "dampening"))
                                                   .nesterov(flag(values, "nesterov"))
                                                   .weight_decay(real(values, "weight_decay")));
  if (name == "adam")
    return std::make_unique<torch::optim::Adam>(
        all, adam_options<torch::optim::AdamOptions>(values, learning_rate));
  return std::make_unique<torch::optim::AdamW>(
      all, adam_options<torch::optim::AdamWOptions>(values, learning_rate));
}

}  // namespace bcx::check
