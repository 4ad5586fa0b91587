// RMSprop as torch.optim.RMSprop has it:
//
//     g = g + weight_decay p
//     v = alpha v + (1 - alpha) g^2
//     centered: a = alpha a + (1 - alpha) g, and v - a^2 for v below
//     b = momentum b + g / (sqrt(v) + eps)
//     p = p - r b
//
// Tieleman, Hinton, "Lecture 6.5: RMSprop", 2012; Graves, "Generating sequences with recurrent
// neural networks", 2013 (centered).
#include <bcx/sdk/plugin.h>

#include "../update.h"

namespace {

using optimizers::assign;
using optimizers::part;

class RmsProp final : public bcx::sdk::Optimizer {
 public:
  explicit RmsProp(const bcx::sdk::Params& params)
      : alpha_(params.get<double>("alpha")),
        eps_(params.get<double>("eps")),
        momentum_(params.get<double>("momentum")),
        centered_(params.get<bool>("centered")),
        decay_{params.get<double>("weight_decay")} {}

  void initialize(const at::Tensor& parameters) override {
    square_ = at::zeros_like(parameters);
    if (centered_) mean_ = at::zeros_like(parameters);
    if (momentum_ != 0.0) buffer_ = at::zeros_like(parameters);
  }

  void step(std::span<const bcx::sdk::ParameterGroup> groups,
            const bcx::sdk::StepScalars& scalars) override {
    for (const auto& group : groups) {
      const auto gradient = decay_.gradient(group);
      const auto square =
          (part(square_, group) * alpha_).addcmul_(gradient, gradient, 1.0 - alpha_);
      auto update = gradient / spread(group, gradient, square, scalars.skip).sqrt_().add_(eps_);
      if (momentum_ != 0.0) {
        update.add_(part(buffer_, group), momentum_);
        assign(part(buffer_, group), update, scalars.skip);
      }
      assign(group.parameters, group.parameters - update * group.learning_rate, scalars.skip);
      assign(part(square_, group), square, scalars.skip);
    }
  }

  std::vector<bcx::sdk::NamedTensor> state() override {
    std::vector<bcx::sdk::NamedTensor> all{{"square_avg", square_}};
    if (centered_) all.push_back({"grad_avg", mean_});
    if (momentum_ != 0.0) all.push_back({"momentum_buffer", buffer_});
    return all;
  }

 private:
  /// Mean square, or variance; a new tensor. The mean is updated.
  at::Tensor spread(const bcx::sdk::ParameterGroup& group, const at::Tensor& gradient,
                    const at::Tensor& square, const at::Tensor& skip) const {
    if (!centered_) return square.clone();
    const auto mean = at::lerp(part(mean_, group), gradient, 1.0 - alpha_);
    assign(part(mean_, group), mean, skip);
    return at::addcmul(square, mean, mean, -1.0).clamp_min_(0.0);  // rounding may leave less
  }

  double alpha_, eps_, momentum_;
  bool centered_;
  optimizers::WeightDecay decay_;
  at::Tensor square_, mean_, buffer_;  // [n]; the last two undefined where they are not used
};

}  // namespace

BCX_PLUGIN(bcx::sdk::optimizer<RmsProp>("rmsprop"))
