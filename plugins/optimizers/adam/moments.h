// Running means of gradients and of their squares, which the family of Adam shares.
#pragma once

#include <bcx/sdk/params.h>

#include "../update.h"

namespace optimizers {

/// m = beta1 m + (1 - beta1) g and v = beta2 v + (1 - beta2) g^2 over the whole flat buffer.
class Moments {
 public:
  explicit Moments(const bcx::sdk::Params& params)
      : beta1(params.get<double>("beta1")), beta2(params.get<double>("beta2")) {}

  void initialize(const at::Tensor& parameters) {
    mean = at::zeros_like(parameters);
    square = at::zeros_like(parameters);
  }
  at::Tensor next_mean(const at::Tensor& gradient, const bcx::sdk::ParameterGroup& group) const {
    return at::lerp(part(mean, group), gradient, 1.0 - beta1);
  }
  at::Tensor next_square(const at::Tensor& gradient, const bcx::sdk::ParameterGroup& group) const {
    return (part(square, group) * beta2).addcmul_(gradient, gradient, 1.0 - beta2);
  }

  double beta1, beta2;
  at::Tensor mean, square;  // [n]
};

}  // namespace optimizers
