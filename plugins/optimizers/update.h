// What optimizers without a fused kernel share. Every value is computed, and taken or left by a
// selection on the device: the host never learns whether a step was skipped.
#pragma once

#include <ATen/ATen.h>
#include <bcx/sdk/optimizer.h>

namespace optimizers {

/// The group's part of a state tensor over the whole flat buffer.
inline at::Tensor part(const at::Tensor& whole, const bcx::sdk::ParameterGroup& group) {
  return whole.narrow(0, group.offset, group.parameters.numel());
}

/// target = skip ? target : value, in place.
inline void assign(at::Tensor target, const at::Tensor& value, const at::Tensor& skip) {
  at::where_out(target, skip, target, value);
}

/// Weight decay in its two forms: a penalty joins the gradient (L2), decoupled decay shrinks the
/// parameters beside the step (Loshchilov and Hutter, 2019).
struct WeightDecay {
  double rate = 0.0;
  bool decoupled = false;

  at::Tensor gradient(const bcx::sdk::ParameterGroup& group) const {
    const double own = rate * group.weight_decay;
    return own == 0.0 || decoupled ? group.gradients
                                   : at::add(group.gradients, group.parameters, own);
  }
  at::Tensor parameters(const bcx::sdk::ParameterGroup& group) const {
    const double own = rate * group.weight_decay;
    return own == 0.0 || !decoupled ? group.parameters
                                    : group.parameters * (1.0 - group.learning_rate * own);
  }
};

/// 1 - beta^step, 0-dim float64 on the device.
inline at::Tensor bias_correction(double beta, const at::Tensor& step) {
  return 1.0 - at::pow(beta, step);
}

}  // namespace optimizers
