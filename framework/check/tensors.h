// Small things that the checks say about tensors.
#pragma once

#include <torch/types.h>

#include <string>

#include "bcx/sdk/model_context.h"

namespace bcx::check {

/// `[2, 512, 3, 3]`, `nothing` for an undefined tensor.
std::string shape_text(const at::Tensor& x);

/// Equal type, shape and bits: -0 differs from 0, a NaN equals itself.
bool same_bits(const at::Tensor& x, const at::Tensor& y);

bool finite(const at::Tensor& x);

/// A generator of the checks' own.
at::Generator generator(std::uint64_t seed);
sdk::ModelContext model_context(std::uint64_t seed = 1);

/// State of LibTorch's default generator, which the host seeds once.
at::Tensor default_generator_state();

/// Throws when the default generator moved since `before`.
void require_untouched_generator(const at::Tensor& before, const std::string& remedy);

}  // namespace bcx::check
