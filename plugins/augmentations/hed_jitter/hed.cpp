#include "hed.h"

#include <ATen/ATen.h>

#include <array>
#include <cmath>

namespace hed {
namespace {

using at::Tensor;
using Matrix = std::array<std::array<double, 3>, 3>;

constexpr double darkest = 1e-6;

// Rows: haematoxylin, eosin, DAB; columns: R, G, B. scikit-image's rgb_from_hed.
constexpr Matrix rgb_of_stains{{{0.65, 0.70, 0.29}, {0.07, 0.99, 0.11}, {0.27, 0.57, 0.78}}};

/// By cofactors.
Matrix inverse(const Matrix& m) {
  Matrix result;
  const auto cofactor = [&](std::size_t i, std::size_t j) {
    const auto a = (i + 1) % 3, b = (i + 2) % 3, c = (j + 1) % 3, d = (j + 2) % 3;
    return m[a][c] * m[b][d] - m[a][d] * m[b][c];
  };
  const double determinant =
      m[0][0] * cofactor(0, 0) + m[0][1] * cofactor(0, 1) + m[0][2] * cofactor(0, 2);
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t j = 0; j < 3; ++j) result[j][i] = cofactor(i, j) / determinant;
  return result;
}

/// The row vectors along dimension 1 times m.
Tensor times(const Tensor& rows, const Matrix& m, double factor) {
  std::array<Tensor, 3> columns;
  for (std::size_t j = 0; j < 3; ++j) {
    columns[j] = rows.narrow(1, 0, 1) * (m[0][j] * factor);
    for (std::size_t i = 1; i < 3; ++i)
      columns[j].add_(rows.narrow(1, static_cast<std::int64_t>(i), 1) * (m[i][j] * factor));
  }
  return at::cat({columns[0], columns[1], columns[2]}, 1);
}

}  // namespace

Tensor from_rgb(const Tensor& rgb) {
  static const Matrix stains_of_rgb = inverse(rgb_of_stains);
  return times(rgb.clamp_min(darkest).log_(), stains_of_rgb, 1.0 / std::log(darkest))
      .clamp_min_(0.0);
}

Tensor changed(const Tensor& rgb, const Tensor& change) {
  const auto logarithms = rgb.clamp_min(darkest).log_();
  return (times(change, rgb_of_stains, std::log(darkest)) + logarithms).exp_().clamp_(0.0, 1.0);
}

}  // namespace hed
