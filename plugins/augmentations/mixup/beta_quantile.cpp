#include "beta_quantile.h"

#include <ATen/ATen.h>

#include <boost/math/special_functions/beta.hpp>
#include <cmath>
#include <numbers>

namespace mixup {
namespace {

constexpr std::int64_t cells = 4096;

// In double: Boost's own choice, long double, throws while the plugin is loaded where that type has
// no more digits than double, as under valgrind.
constexpr boost::math::policies::policy<boost::math::policies::promote_double<false>> plain;

}  // namespace

BetaQuantile::BetaQuantile(double alpha) : table_(at::empty({cells + 1}, at::kFloat)) {
  auto* values = table_.data_ptr<float>();
  // Beta(alpha, alpha) is symmetric: the upper half is one minus the lower one.
  for (std::int64_t i = 0; i <= cells / 2; ++i) {
    const double share = static_cast<double>(i) / static_cast<double>(cells);
    const double sine = std::sin(std::numbers::pi * share / 2.0);
    const double lower = i == 0 ? 0.0 : boost::math::ibeta_inv(alpha, alpha, sine * sine, plain);
    values[i] = static_cast<float>(lower);
    values[cells - i] = static_cast<float>(1.0 - lower);
  }
}

at::Tensor BetaQuantile::table_on(at::Device device) const {
  const std::lock_guard lock(mutex_);
  if (table_.device() != device) table_ = table_.to(device);
  return table_;
}

at::Tensor BetaQuantile::operator()(const at::Tensor& uniform) const {
  const auto table = table_on(uniform.device());
  const auto place = uniform.clamp(0.0, 1.0).sqrt_().asin_().mul_(2.0 / std::numbers::pi * cells);
  const auto cell = place.floor().clamp_max_(static_cast<double>(cells - 1));
  const auto index = cell.to(at::kLong);
  return at::lerp(table.index_select(0, index), table.index_select(0, index + 1), place - cell);
}

}  // namespace mixup
