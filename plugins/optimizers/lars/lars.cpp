// LARS as timm.optim.Lars has it. With norms over each parameter:
//
//     d = g + weight_decay p
//     d = d trust_coeff |p| / (|g| + weight_decay |p| + eps)    where weight_decay is not 0 (or
//                                                               always_adapt), and both norms are
//                                                               not 0
//     b = momentum b + d,  u = b, or d + momentum b with nesterov
//     p = p - r u
//
// You, Gitman, Ginsburg, "Large batch training of convolutional networks", 2017.
#include <bcx/sdk/plugin.h>
#include <bcx/sdk/segments.h>

#include <stdexcept>

#include "../trust_ratio.h"
#include "../update.h"

namespace {

using bcx::sdk::ParameterGroup;
using optimizers::assign;
using optimizers::part;

class Lars final : public bcx::sdk::Optimizer {
 public:
  explicit Lars(const bcx::sdk::Params& params)
      : momentum_(params.get<double>("momentum")),
        nesterov_(params.get<bool>("nesterov")),
        decay_{params.get<double>("weight_decay")},
        trust_coeff_(params.get<double>("trust_coeff")),
        eps_(params.get<double>("eps")),
        trust_clip_(params.get<bool>("trust_clip")),
        always_adapt_(params.get<bool>("always_adapt")) {
    if (nesterov_ && momentum_ == 0.0)
      throw std::invalid_argument("nesterov = true needs momentum above 0");
  }

  void initialize(const at::Tensor& parameters) override {
    if (momentum_ != 0.0) buffer_ = at::zeros_like(parameters);
  }

  void step(std::span<const ParameterGroup> groups, const bcx::sdk::StepScalars& scalars) override {
    for (const auto& group : groups) {
      auto update = scaled(group);
      if (momentum_ != 0.0) {
        const auto buffer = part(buffer_, group) * momentum_ + update;
        assign(part(buffer_, group), buffer, scalars.skip);
        update = nesterov_ ? at::add(update, buffer, momentum_) : buffer;
      }
      assign(group.parameters, group.parameters - update * group.learning_rate, scalars.skip);
    }
  }

  std::vector<bcx::sdk::NamedTensor> state() override {
    if (!buffer_.defined()) return {};
    return {{"momentum_buffer", buffer_}};
  }

 private:
  /// The gradient with its penalty, scaled to each parameter's size.
  at::Tensor scaled(const ParameterGroup& group) const {
    const double decay = decay_.rate * group.weight_decay;
    const auto gradient = decay_.gradient(group);
    if (decay == 0.0 && !always_adapt_) return gradient;
    const auto size = bcx::sdk::segment_norms(group.parameters, group);
    const auto slope = bcx::sdk::segment_norms(group.gradients, group);
    auto ratio =
        optimizers::trust_ratio(size, slope, size * trust_coeff_ / (slope + size * decay + eps_));
    if (trust_clip_) ratio = (ratio / group.learning_rate).clamp_max(1.0);
    return gradient * bcx::sdk::per_element(ratio, group);
  }

  double momentum_;
  bool nesterov_;
  optimizers::WeightDecay decay_;
  double trust_coeff_, eps_;
  bool trust_clip_, always_adapt_;
  at::Tensor buffer_;  // [n]; undefined without momentum
};

}  // namespace

BCX_PLUGIN(bcx::sdk::optimizer<Lars>("lars"))
