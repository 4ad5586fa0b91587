// Lion as its authors have it (and timm.optim.Lion):
//
//     p = p (1 - r weight_decay)
//     p = p - r sign(beta1 m + (1 - beta1) g)
//     m = beta2 m + (1 - beta2) g
//
// Chen et al., "Symbolic discovery of optimization algorithms", 2023.
#include <bcx/sdk/plugin.h>

#include "../update.h"

namespace {

using optimizers::assign;
using optimizers::part;

class Lion final : public bcx::sdk::Optimizer {
 public:
  explicit Lion(const bcx::sdk::Params& params)
      : beta1_(params.get<double>("beta1")),
        beta2_(params.get<double>("beta2")),
        decay_{params.get<double>("weight_decay"), /*decoupled=*/true} {}

  void initialize(const at::Tensor& parameters) override { mean_ = at::zeros_like(parameters); }

  void step(std::span<const bcx::sdk::ParameterGroup> groups,
            const bcx::sdk::StepScalars& scalars) override {
    for (const auto& group : groups) {
      const auto mean = part(mean_, group);
      const auto direction = at::lerp(mean, group.gradients, 1.0 - beta1_).sign_();
      assign(group.parameters, decay_.parameters(group) - direction.mul_(group.learning_rate),
             scalars.skip);
      assign(mean, at::lerp(mean, group.gradients, 1.0 - beta2_), scalars.skip);
    }
  }

  std::vector<bcx::sdk::NamedTensor> state() override { return {{"exp_avg", mean_}}; }

 private:
  double beta1_, beta2_;
  optimizers::WeightDecay decay_;
  at::Tensor mean_;  // [n]
};

}  // namespace

BCX_PLUGIN(bcx::sdk::optimizer<Lion>("lion"))
