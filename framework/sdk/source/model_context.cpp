#include "bcx/sdk/model_context.h"

#include <ATen/ATen.h>

#include <vector>

namespace bcx::sdk {
namespace {

at::Tensor scaled_mask(const at::Tensor& like, at::IntArrayRef shape, double p, ModelContext& context) {
  auto mask = at::empty(shape, like.options());
  mask.bernoulli_(1.0 - p, context.generator);
  return p < 1.0 ? mask.div_(1.0 - p) : mask;
}

}  // namespace

at::Tensor dropout(const at::Tensor& x, double p, bool training, ModelContext& context) {
  if (!training || p == 0.0) return x;
  return x * scaled_mask(x, x.sizes(), p, context);
}

at::Tensor drop_path(const at::Tensor& x, double p, bool training, ModelContext& context) {
  if (!training || p == 0.0) return x;
  std::vector<std::int64_t> shape(static_cast<std::size_t>(x.dim()), 1);
  shape[0] = x.size(0);
  return x * scaled_mask(x, shape, p, context);
}

}  // namespace bcx::sdk
