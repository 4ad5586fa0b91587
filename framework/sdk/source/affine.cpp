#include <ATen/ATen.h>

#include <numbers>

#include "bcx/sdk/augmentation.h"

namespace bcx::sdk {
namespace {

/// [N, 2, 3] from six [N] entries, row by row.
at::Tensor rows(const at::Tensor& a, const at::Tensor& b, const at::Tensor& c, const at::Tensor& d,
                const at::Tensor& e, const at::Tensor& f) {
  return at::stack({a, b, c, d, e, f}, 1).view({-1, 2, 3});
}

at::Tensor radians(const at::Tensor& degrees) {
  return degrees * (std::numbers::pi / 180.0);
}

}  // namespace

Affine::Affine(std::int64_t n, std::int64_t height, std::int64_t width, at::Device device)
    : inverse_(at::eye(2, 3, at::TensorOptions().dtype(at::kFloat).device(device))
                   .expand({n, 2, 3})
                   .contiguous()),
      height_(height),
      width_(width) {}

void Affine::compose(const at::Tensor& m) {
  // new(p) = old(m p), old(q) = source(A q)  =>  A' = A m, with the implied last row (0, 0, 1).
  const auto linear = inverse_.narrow(2, 0, 2);
  const auto product = at::matmul(linear, m);
  inverse_ =
      at::cat({product.narrow(2, 0, 2), product.narrow(2, 2, 1) + inverse_.narrow(2, 2, 1)}, 2);
}

void Affine::rotate(const at::Tensor& degrees) {
  // y points down, so counter-clockwise on the screen by t reads the source at R(t) p with
  // x' = x cos t - y sin t, y' = x sin t + y cos t.
  const auto t = radians(degrees);
  const auto zero = at::zeros_like(t);
  compose(rows(t.cos(), -t.sin(), zero, t.sin(), t.cos(), zero));
}

void Affine::scale(const at::Tensor& x, const at::Tensor& y) {
  const auto zero = at::zeros_like(x);
  compose(rows(x.reciprocal(), zero, zero, zero, y.reciprocal(), zero));
}

void Affine::translate(const at::Tensor& x, const at::Tensor& y) {
  const auto zero = at::zeros_like(x), one = at::ones_like(x);
  compose(rows(one, zero, x * -static_cast<double>(width_), zero, one,
               y * -static_cast<double>(height_)));
}

void Affine::shear(const at::Tensor& x_degrees, const at::Tensor& y_degrees) {
  // One after the other, as torchvision does it: both at once would collapse the picture at 45
  // degrees.
  const auto zero = at::zeros_like(x_degrees), one = at::ones_like(x_degrees);
  const auto x = radians(x_degrees).tan(), y = radians(y_degrees).tan();
  compose(rows(x * y + 1.0, x, zero, y, one, zero));
}

void Affine::flip(const at::Tensor& horizontal, const at::Tensor& vertical) {
  const auto x = 1.0 - 2.0 * horizontal.to(at::kFloat), y = 1.0 - 2.0 * vertical.to(at::kFloat);
  const auto zero = at::zeros_like(x);
  compose(rows(x, zero, zero, zero, y, zero));
}

}  // namespace bcx::sdk
