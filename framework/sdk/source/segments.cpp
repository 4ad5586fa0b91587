#include "bcx/sdk/segments.h"

#include <ATen/ATen.h>

namespace bcx::sdk {

at::Tensor segment_norms(const at::Tensor& flat, const ParameterGroup& group) {
  std::vector<at::Tensor> parts;
  parts.reserve(group.segments.size());
  for (const auto& segment : group.segments)
    parts.push_back(flat.narrow(0, segment.offset, segment.size));
  return at::stack(at::_foreach_norm(parts));
}

at::Tensor per_element(const at::Tensor& values, const ParameterGroup& group) {
  // The output's size is known, so that a GPU need not be asked for it.
  return at::repeat_interleave(values, group.segment_sizes, /*dim=*/0,
                               /*output_size=*/group.parameters.numel());
}

}  // namespace bcx::sdk
