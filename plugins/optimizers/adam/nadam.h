// NAdam as torch.optim.NAdam has it: Adam with Nesterov's momentum. Beside Adam's m and v, with
//
//     mu_t = beta1 (1 - 0.5 * 0.96^(t momentum_decay)),  P_t = mu_1 mu_2 ... mu_t
//     p = p - r ((1 - mu_t) / (1 - P_t) g + mu_{t+1} / (1 - P_t mu_{t+1}) m) / (sqrt(v / (1 -
//     beta2^t))
//         + eps)
//
// Dozat, "Incorporating Nesterov momentum into Adam", 2016.
#pragma once

#include <cmath>

#include "moments.h"

namespace optimizers {

class NAdam final : public bcx::sdk::Optimizer {
 public:
  explicit NAdam(const bcx::sdk::Params& params)
      : moments_(params),
        eps_(params.get<double>("eps")),
        momentum_decay_(params.get<double>("momentum_decay")),
        decay_{params.get<double>("weight_decay"), params.get<bool>("decoupled_weight_decay")} {}

  void initialize(const at::Tensor& parameters) override {
    moments_.initialize(parameters);
    // The logarithm of P_t as a series, so that it is a function of t and no state: with
    // q = 0.96^momentum_decay, log(1 - q^i / 2) = - sum_k (q^i / 2)^k / k, and the sum over i of
    // q^(ki) is geometric. Sixty terms leave out 2^-60.
    const auto options = parameters.options().dtype(at::kDouble);
    exponents_ = at::arange(1, 61, options);
    const double log_q = momentum_decay_ * std::log(0.96);
    const auto halves = at::pow(0.5, exponents_) / exponents_;
    if (log_q == 0.0) {
      slope_ = std::log(moments_.beta1) - halves.sum().item<double>();
      exponents_.zero_();
      weights_ = at::zeros_like(halves);
    } else {
      slope_ = std::log(moments_.beta1);
      exponents_ *= log_q;
      weights_ = halves * exponents_.exp() / exponents_.expm1();
    }
  }

  void step(std::span<const bcx::sdk::ParameterGroup> groups,
            const bcx::sdk::StepScalars& scalars) override {
    for (const auto& group : groups) {
      const auto& rate = group.learning_rate;
      const auto product = momenta_product(group.step);
      const auto now = momentum(group.step), next = momentum(group.step + 1.0);
      const auto gradient = decay_.gradient(group);
      const auto mean = moments_.next_mean(gradient, group);
      const auto square = moments_.next_square(gradient, group);
      const auto root = (square / bias_correction(moments_.beta2, group.step)).sqrt_().add_(eps_);
      const auto direction =
          gradient * ((1.0 - now) / (1.0 - product)) + mean * (next / (1.0 - product * next));
      assign(group.parameters, decay_.parameters(group) - direction.div_(root).mul_(rate),
             scalars.skip);
      assign(part(moments_.mean, group), mean, scalars.skip);
      assign(part(moments_.square, group), square, scalars.skip);
    }
  }

  std::vector<bcx::sdk::NamedTensor> state() override {
    return {{"exp_avg", moments_.mean}, {"exp_avg_sq", moments_.square}};
  }

 private:
  at::Tensor momentum(const at::Tensor& step) const {
    return moments_.beta1 * (1.0 - 0.5 * at::pow(0.96, step * momentum_decay_));
  }
  at::Tensor momenta_product(const at::Tensor& step) const {
    return (step * slope_ - (weights_ * (exponents_ * step).expm1_()).sum()).exp_();
  }

  Moments moments_;
  double eps_, momentum_decay_;
  WeightDecay decay_;
  double slope_ = 0.0;
  at::Tensor exponents_, weights_;  // [60]
};

}  // namespace optimizers
