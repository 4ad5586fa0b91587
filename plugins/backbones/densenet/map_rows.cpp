#include "map_rows.h"

namespace densenet {

bool can_fuse(const at::Tensor& x, at::TensorList parameters) {
  const auto type = x.scalar_type();
  if (!x.is_cpu() || x.dim() != 4 || x.numel() == 0 || x.size(1) % kLane) return false;
  if (type == at::kBFloat16 ? !can_multiply<Bfloat16>() : type != at::kFloat && type != at::kDouble)
    return false;
  const auto wanted = type == at::kDouble ? at::kDouble : at::kFloat;
  return std::all_of(parameters.begin(), parameters.end(), [&](const at::Tensor& parameter) {
    return parameter.is_cpu() && parameter.scalar_type() == wanted;
  });
}

}  // namespace densenet
