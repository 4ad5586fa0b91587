#include "stains.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

namespace macenko {
namespace {

using Plane = std::array<Vector, 2>;

constexpr std::size_t least_pixels = 10, least_share = 100;
constexpr double least_sine_squared = 1e-4;  // between the two stains: 0.57 degrees
constexpr double least_strength = 0.01;

double dot(const Vector& a, const Vector& b) {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

/// Of all 256 values.
std::array<double, 256> densities(double light) {
  std::array<double, 256> table;
  for (std::size_t v = 0; v < 256; ++v)
    table[v] = -std::log((static_cast<double>(v) + 1.0) / light);
  return table;
}

std::vector<Vector> optical_densities(std::span<const std::uint8_t> rgb, double light) {
  const auto table = densities(light);
  std::vector<Vector> result(rgb.size() / 3);
  for (std::size_t i = 0; i < result.size(); ++i)
    result[i] = {table[rgb[3 * i]], table[rgb[3 * i + 1]], table[rgb[3 * i + 2]]};
  return result;
}

std::vector<Vector> tissue_of(const std::vector<Vector>& densities, double beta) {
  std::vector<Vector> tissue;
  for (const Vector& d : densities)
    if (d[0] >= beta && d[1] >= beta && d[2] >= beta) tissue.push_back(d);
  return tissue;
}

/// numpy.percentile with linear interpolation; changes the order of `values`, which are not none.
double percentile(std::vector<double>& values, double percent) {
  const double place = percent / 100.0 * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::ptrdiff_t>(place);
  const auto at = values.begin() + below;
  std::nth_element(values.begin(), at, values.end());
  const double share = place - static_cast<double>(below);
  if (share == 0.0 || at + 1 == values.end()) return *at;
  return *at + (*std::min_element(at + 1, values.end()) - *at) * share;
}

/// The eigenvectors of the second largest and the largest eigenvalue of the covariance.
Plane plane_of(const std::vector<Vector>& tissue) {
  Vector mean{};
  for (const Vector& d : tissue)
    for (std::size_t c = 0; c < 3; ++c) mean[c] += d[c] / static_cast<double>(tissue.size());
  const auto covariance = at::zeros({3, 3}, at::kDouble);
  auto sums = covariance.accessor<double, 2>();
  for (const Vector& d : tissue)
    for (std::int64_t i = 0; i < 3; ++i)
      for (std::int64_t j = 0; j < 3; ++j)
        sums[i][j] += (d[static_cast<std::size_t>(i)] - mean[static_cast<std::size_t>(i)]) *
                      (d[static_cast<std::size_t>(j)] - mean[static_cast<std::size_t>(j)]);
  const auto vectors =
      std::get<1>(at::linalg_eigh(covariance / static_cast<double>(tissue.size() - 1)));
  Plane plane;
  for (std::size_t k = 0; k < 2; ++k)
    for (std::size_t c = 0; c < 3; ++c)
      plane[k][c] =
          vectors[static_cast<std::int64_t>(c)][static_cast<std::int64_t>(k + 1)].item<double>();
  return plane;
}

/// What LAPACK's choice of signs cannot change: an angle leads back to the direction it came from.
std::array<Vector, 2> extreme_directions(const std::vector<Vector>& tissue, const Plane& plane,
                                         double alpha) {
  std::vector<double> angles;
  angles.reserve(tissue.size());
  for (const Vector& d : tissue) angles.push_back(std::atan2(dot(d, plane[1]), dot(d, plane[0])));
  std::array<Vector, 2> directions;
  for (std::size_t k = 0; k < 2; ++k) {
    const double angle = percentile(angles, k == 0 ? alpha : 100.0 - alpha);
    for (std::size_t c = 0; c < 3; ++c)
      directions[k][c] = plane[0][c] * std::cos(angle) + plane[1][c] * std::sin(angle);
  }
  if (directions[0][0] <= directions[1][0]) std::swap(directions[0], directions[1]);
  return directions;
}

double sine_squared(const std::array<Vector, 2>& directions) {
  const double cosine = dot(directions[0], directions[1]);
  return dot(directions[0], directions[0]) * dot(directions[1], directions[1]) - cosine * cosine;
}

/// Rows that give the concentrations of an optical density: the pseudo-inverse of the directions.
std::array<Vector, 2> unmixing(const std::array<Vector, 2>& directions) {
  const auto& [h, e] = directions;
  const double hh = dot(h, h), he = dot(h, e), ee = dot(e, e), det = sine_squared(directions);
  std::array<Vector, 2> rows;
  for (std::size_t c = 0; c < 3; ++c) {
    rows[0][c] = (ee * h[c] - he * e[c]) / det;
    rows[1][c] = (hh * e[c] - he * h[c]) / det;
  }
  return rows;
}

}  // namespace

Estimate estimate(std::span<const std::uint8_t> rgb, const Rule& rule) {
  const auto all = optical_densities(rgb, rule.light);
  const auto tissue = tissue_of(all, rule.beta);
  if (tissue.size() < std::max(least_pixels, all.size() / least_share)) return {{}, "blank"};
  Estimate result;
  auto& [direction, strength] = result.stains;
  direction = extreme_directions(tissue, plane_of(tissue), rule.alpha);
  if (!(sine_squared(direction) >= least_sine_squared)) return {{}, "one colour"};
  const auto rows = unmixing(direction);
  std::vector<double> concentrations(all.size());
  for (std::size_t k = 0; k < 2; ++k) {
    std::transform(all.begin(), all.end(), concentrations.begin(),
                   [&](const Vector& d) { return dot(d, rows[k]); });
    strength[k] = percentile(concentrations, 99.0);
    if (!(strength[k] >= least_strength)) return {{}, "one stain"};
  }
  return result;
}

void transfer(std::span<std::uint8_t> rgb, const Stains& from, const Stains& to, const Rule& rule) {
  const auto rows = unmixing(from.direction);
  std::array<Vector, 3> map{};  // density -> new density
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t k = 0; k < 2; ++k)
      for (std::size_t j = 0; j < 3; ++j)
        map[i][j] += to.direction[k][i] * (to.strength[k] / from.strength[k]) * rows[k][j];
  const auto table = densities(rule.light);
  for (std::size_t i = 0; i + 2 < rgb.size(); i += 3) {
    const Vector d{table[rgb[i]], table[rgb[i + 1]], table[rgb[i + 2]]};
    for (std::size_t c = 0; c < 3; ++c)
      rgb[i + c] =
          static_cast<std::uint8_t>(std::min(rule.light * std::exp(-dot(map[c], d)), 255.0));
  }
}

}  // namespace macenko
