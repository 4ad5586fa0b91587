// The functions that everybody tries samplers on.
#pragma once

#include <array>
#include <cmath>
#include <numbers>
#include <string>

#include "sweep/space.h"

namespace bcx::test {

inline sweep::Axis uniform(std::string key, double low, double high) {
  sweep::Axis axis;
  axis.key = std::move(key);
  axis.scale = sweep::Axis::Scale::uniform;
  axis.low = low;
  axis.high = high;
  return axis;
}

inline double at(const sweep::Point& point, const std::string& key) {
  return std::get<double>(point.at(key));
}

/// x0 in [-5, 10], x1 in [0, 15]; minimum 0.397887 (Branin 1972).
inline double branin(const sweep::Point& point) {
  constexpr double pi = std::numbers::pi;
  const double x = at(point, "x0"), y = at(point, "x1");
  const double a = y - 5.1 / (4 * pi * pi) * x * x + 5 / pi * x - 6;
  return a * a + 10 * (1 - 1 / (8 * pi)) * std::cos(x) + 10;
}

inline sweep::Space branin_space() {
  return {{uniform("x0", -5, 10), uniform("x1", 0, 15)}};
}

/// x0 to x5 in [0, 1]; minimum -3.32237 (Hartman 1973).
inline double hartmann6(const sweep::Point& point) {
  constexpr std::array<double, 4> alpha{1.0, 1.2, 3.0, 3.2};
  constexpr double a[4][6] = {{10, 3, 17, 3.5, 1.7, 8},
                              {0.05, 10, 17, 0.1, 8, 14},
                              {3, 3.5, 1.7, 10, 17, 8},
                              {17, 8, 0.05, 10, 0.1, 14}};
  constexpr double p[4][6] = {{1312, 1696, 5569, 124, 8283, 5886},
                              {2329, 4135, 8307, 3736, 1004, 9991},
                              {2348, 1451, 3522, 2883, 3047, 6650},
                              {4047, 8828, 8732, 5743, 1091, 381}};
  double sum = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    double inner = 0;
    for (std::size_t k = 0; k < 6; ++k) {
      const double x = at(point, "x" + std::to_string(k));
      inner += a[i][k] * (x - 1e-4 * p[i][k]) * (x - 1e-4 * p[i][k]);
    }
    sum -= alpha[i] * std::exp(-inner);
  }
  return sum;
}

inline sweep::Space hartmann6_space() {
  sweep::Space space;
  for (int k = 0; k < 6; ++k) space.axes.push_back(uniform("x" + std::to_string(k), 0, 1));
  return space;
}

}  // namespace bcx::test
