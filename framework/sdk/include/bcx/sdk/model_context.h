// Randomness inside a model, owned by the run.
#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

namespace bcx::sdk {

/// What a forward pass may use beside its input. The generator belongs to the run and is re-seeded by
/// the host for each (micro-)step from (seed, "model", epoch, step, micro-step): a model that draws
/// from anything else cannot be resumed exactly.
struct ModelContext {
  at::Generator generator;
};

/// Inverted dropout (Srivastava et al. 2014): zeroes each element with probability `p` and scales the
/// others by 1 / (1 - p). The identity when not training or p = 0.
at::Tensor dropout(const at::Tensor& x, double p, bool training, ModelContext& context);

/// Stochastic depth per sample ("row" mode; Huang et al. 2016): zeroes whole samples of the residual
/// branch x [N, ...] with probability `p` and scales the others by 1 / (1 - p).
at::Tensor drop_path(const at::Tensor& x, double p, bool training, ModelContext& context);

}  // namespace bcx::sdk
