// RAdam as torch.optim.RAdam has it: Adam whose adaptive part is held back until its variance is
// known. Beside Adam's m and v, with rho = 2 / (1 - beta2) - 1 and
// rho_t = rho - 2 t beta2^t / (1 - beta2^t):
//
//     rho_t > 5:  p = p - r m / (1 - beta1^t) sqrt(1 - beta2^t) / (sqrt(v) + eps)
//                     sqrt((rho_t - 4) (rho_t - 2) rho / ((rho - 4) (rho - 2) rho_t))
//     otherwise:  p = p - r m / (1 - beta1^t)
//
// Liu et al., "On the variance of the adaptive learning rate and beyond", 2020.
#pragma once

#include "moments.h"

namespace optimizers {

class RAdam final : public bcx::sdk::Optimizer {
 public:
  explicit RAdam(const bcx::sdk::Params& params)
      : moments_(params),
        eps_(params.get<double>("eps")),
        decay_{params.get<double>("weight_decay"), params.get<bool>("decoupled_weight_decay")} {}

  void initialize(const at::Tensor& parameters) override { moments_.initialize(parameters); }

  void step(std::span<const bcx::sdk::ParameterGroup> groups,
            const bcx::sdk::StepScalars& scalars) override {
    for (const auto& group : groups) {
      const auto gradient = decay_.gradient(group);
      const auto mean = moments_.next_mean(gradient, group);
      const auto square = moments_.next_square(gradient, group);
      const auto [known, rectified] = rectification(group.step);
      const auto adaptive = rectified / square.sqrt().add_(eps_);
      const auto size = group.learning_rate / bias_correction(moments_.beta1, group.step);
      const auto direction = mean * at::where(known, adaptive, at::ones_like(adaptive));
      assign(group.parameters, decay_.parameters(group) - direction * size, scalars.skip);
      assign(part(moments_.mean, group), mean, scalars.skip);
      assign(part(moments_.square, group), square, scalars.skip);
    }
  }

  std::vector<bcx::sdk::NamedTensor> state() override {
    return {{"exp_avg", moments_.mean}, {"exp_avg_sq", moments_.square}};
  }

 private:
  struct Rectification {
    at::Tensor known;  // bool: rho_t > 5
    at::Tensor value;  // with sqrt(1 - beta2^t)
  };
  Rectification rectification(const at::Tensor& t) const {
    const double rho = 2.0 / (1.0 - moments_.beta2) - 1.0;
    const auto correction = bias_correction(moments_.beta2, t);
    const auto rho_t = rho - 2.0 * t * (1.0 - correction) / correction;
    const auto safe = rho_t.clamp_min(5.0);  // no root of what is negative
    const auto value =
        (correction * (safe - 4.0) * (safe - 2.0) * rho / ((rho - 4.0) * (rho - 2.0) * safe))
            .sqrt_();
    return {rho_t > 5.0, value};
  }

  Moments moments_;
  double eps_;
  WeightDecay decay_;
};

}  // namespace optimizers
