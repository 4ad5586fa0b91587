// LAMB as timm.optim.Lamb has it. With step t from 1 and norms over each parameter:
//
//     g = g / max(|g of all parameters| / max_grad_norm, 1)
//     m = beta1 m + (1 - beta1) g,  v = beta2 v + (1 - beta2) g^2
//     u = (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps) + weight_decay p
//     p = p - r |p| / |u| u        where weight_decay is not 0 (or always_adapt), and both norms
//     are
//                                  not 0; otherwise  p = p - r u
//
// You et al., "Large batch optimization for deep learning: training BERT in 76 minutes", 2020.
#include <bcx/sdk/plugin.h>
#include <bcx/sdk/segments.h>

#include "../adam/moments.h"
#include "../trust_ratio.h"

namespace {

using bcx::sdk::ParameterGroup;
using optimizers::assign;
using optimizers::bias_correction;
using optimizers::part;

class Lamb final : public bcx::sdk::Optimizer {
 public:
  explicit Lamb(const bcx::sdk::Params& params)
      : moments_(params),
        eps_(params.get<double>("eps")),
        weight_decay_(params.get<double>("weight_decay")),
        max_grad_norm_(params.get<double>("max_grad_norm")),
        trust_clip_(params.get<bool>("trust_clip")),
        always_adapt_(params.get<bool>("always_adapt")) {}

  void initialize(const at::Tensor& parameters) override { moments_.initialize(parameters); }

  void step(std::span<const ParameterGroup> groups, const bcx::sdk::StepScalars& scalars) override {
    if (groups.empty()) return;
    const auto divisor = clipping(groups);
    for (const auto& group : groups) {
      const auto gradient = group.gradients / divisor;
      const auto mean = moments_.next_mean(gradient, group);
      const auto square = moments_.next_square(gradient, group);
      const auto root = (square / bias_correction(moments_.beta2, group.step)).sqrt_().add_(eps_);
      const auto direction = (mean / bias_correction(moments_.beta1, group.step)).div_(root);
      assign(group.parameters, group.parameters - scaled(direction, group) * group.learning_rate,
             scalars.skip);
      assign(part(moments_.mean, group), mean, scalars.skip);
      assign(part(moments_.square, group), square, scalars.skip);
    }
  }

  std::vector<bcx::sdk::NamedTensor> state() override {
    return {{"exp_avg", moments_.mean}, {"exp_avg_sq", moments_.square}};
  }

 private:
  /// What the gradient is divided by, over all groups together.
  at::Tensor clipping(std::span<const ParameterGroup> groups) const {
    auto total = at::zeros({}, groups[0].step.options());
    if (max_grad_norm_ == 0.0) return total + 1.0;
    for (const auto& group : groups)
      total += at::linalg_vector_norm(group.gradients).to(at::kDouble).square();
    return (total.sqrt() / max_grad_norm_).clamp_min(1.0);
  }

  at::Tensor scaled(at::Tensor direction, const ParameterGroup& group) const {
    const double decay = weight_decay_ * group.weight_decay;
    if (decay != 0.0) direction.add_(group.parameters, decay);
    if (decay == 0.0 && !always_adapt_) return direction;
    const auto size = bcx::sdk::segment_norms(group.parameters, group);
    const auto step = bcx::sdk::segment_norms(direction, group);
    auto ratio = optimizers::trust_ratio(size, step, size / step);
    if (trust_clip_) ratio = ratio.clamp_max(1.0);
    return direction.mul_(bcx::sdk::per_element(ratio, group));
  }

  optimizers::Moments moments_;
  double eps_, weight_decay_, max_grad_norm_;
  bool trust_clip_, always_adapt_;
};

}  // namespace

BCX_PLUGIN(bcx::sdk::optimizer<Lamb>("lamb"))
