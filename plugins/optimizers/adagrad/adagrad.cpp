// Adagrad as torch.optim.Adagrad has it, with step t from 1:
//
//     g = g + weight_decay p
//     s = s + g^2, from initial_accumulator_value on
//     p = p - r / (1 + (t - 1) lr_decay) g / (sqrt(s) + eps)
//
// Duchi, Hazan, Singer, "Adaptive subgradient methods for online learning and stochastic
// optimization", 2011.
#include <bcx/sdk/plugin.h>

#include "../update.h"

namespace {

using optimizers::assign;
using optimizers::part;

class Adagrad final : public bcx::sdk::Optimizer {
 public:
  explicit Adagrad(const bcx::sdk::Params& params)
      : lr_decay_(params.get<double>("lr_decay")),
        initial_(params.get<double>("initial_accumulator_value")),
        eps_(params.get<double>("eps")),
        decay_{params.get<double>("weight_decay")} {}

  void initialize(const at::Tensor& parameters) override {
    sum_ = at::full_like(parameters, initial_);
  }

  void step(std::span<const bcx::sdk::ParameterGroup> groups,
            const bcx::sdk::StepScalars& scalars) override {
    for (const auto& group : groups) {
      const auto gradient = decay_.gradient(group);
      const auto sum = at::addcmul(part(sum_, group), gradient, gradient);
      const auto size = group.learning_rate / (1.0 + (group.step - 1.0) * lr_decay_);
      // Padding has no gradient: with eps = 0 it would be 0 / 0.
      const auto update =
          (gradient / sum.sqrt().add_(eps_)).masked_fill_(gradient.eq(0.0), 0.0).mul_(size);
      assign(group.parameters, group.parameters - update, scalars.skip);
      assign(part(sum_, group), sum, scalars.skip);
    }
  }

  std::vector<bcx::sdk::NamedTensor> state() override { return {{"sum", sum_}}; }

 private:
  double lr_decay_, initial_, eps_;
  optimizers::WeightDecay decay_;
  at::Tensor sum_;  // [n]
};

}  // namespace

BCX_PLUGIN(bcx::sdk::optimizer<Adagrad>("adagrad"))
