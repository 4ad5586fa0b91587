// Adamax as torch.optim.Adamax has it: Adam with the infinity norm. With m as Adam's:
//
//     u = max(beta2 u, |g| + eps)
//     p = p - r / (1 - beta1^t) m / u
//
// Kingma, Ba, "Adam: a method for stochastic optimization", 2015, section 7.1.
#pragma once

#include "moments.h"

namespace optimizers {

class Adamax final : public bcx::sdk::Optimizer {
 public:
  explicit Adamax(const bcx::sdk::Params& params)
      : moments_(params),
        eps_(params.get<double>("eps")),
        decay_{params.get<double>("weight_decay")} {}

  void initialize(const at::Tensor& parameters) override { moments_.initialize(parameters); }

  void step(std::span<const bcx::sdk::ParameterGroup> groups,
            const bcx::sdk::StepScalars& scalars) override {
    for (const auto& group : groups) {
      const auto gradient = decay_.gradient(group);
      const auto mean = moments_.next_mean(gradient, group);
      const auto largest =
          at::maximum(part(moments_.square, group) * moments_.beta2, gradient.abs().add_(eps_));
      const auto size = group.learning_rate / bias_correction(moments_.beta1, group.step);
      // Padding has no gradient: with eps = 0 it would be 0 / 0.
      const auto direction = (mean / largest).masked_fill_(mean.eq(0.0), 0.0);
      assign(group.parameters, group.parameters - direction.mul_(size), scalars.skip);
      assign(part(moments_.mean, group), mean, scalars.skip);
      assign(part(moments_.square, group), largest, scalars.skip);
    }
  }

  std::vector<bcx::sdk::NamedTensor> state() override {
    return {{"exp_avg", moments_.mean}, {"exp_inf", moments_.square}};
  }

 private:
  Moments moments_;  // `square` is the infinity norm
  double eps_;
  WeightDecay decay_;
};

}  // namespace optimizers
