// Layer-wise arithmetic on an optimizer's flat tensors: one number for each parameter, and back.
#pragma once

#include <ATen/core/Tensor.h>

#include "bcx/sdk/optimizer.h"

namespace bcx::sdk {

/// L2 norm of each segment of `flat` [n], which is laid out as the group's parameters: [number of
/// segments], of flat's type. A few kernels for all segments together; no synchronisation.
at::Tensor segment_norms(const at::Tensor& flat, const ParameterGroup& group);

/// The reverse of a reduction: `values` [number of segments] repeated over each segment's elements
/// and the padding behind it, [n].
at::Tensor per_element(const at::Tensor& values, const ParameterGroup& group);

}  // namespace bcx::sdk
