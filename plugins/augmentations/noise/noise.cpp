// Adds Gaussian noise, independent in each pixel and channel; its standard deviation is drawn for
// each picture.
//
// A field of uniform numbers becomes normal through a table of the 65,536 quantiles in the middle
// of as many equal shares (largest: 4.3): the same bits on every device, where a logarithm or an
// error function would differ in the last one.
#include <bcx/sdk/augmentation.h>
#include <bcx/sdk/plugin.h>

#include <boost/math/special_functions/erf.hpp>
#include <cmath>

#include "../pixels.h"

namespace {

constexpr std::int64_t cells = 65536;

at::Tensor normal_quantiles() {
  const auto table = at::empty({cells}, at::kFloat);
  auto* values = table.data_ptr<float>();
  for (std::int64_t i = 0; i < cells / 2; ++i) {
    const double share = (static_cast<double>(i) + 0.5) / static_cast<double>(cells);
    const double quantile = std::sqrt(2.0) * boost::math::erf_inv(2.0 * share - 1.0);
    values[i] = static_cast<float>(quantile);
    values[cells - 1 - i] = static_cast<float>(-quantile);
  }
  return table;
}

class Noise final : public bcx::sdk::Augmentation {
 public:
  explicit Noise(const bcx::sdk::Params& params)
      : max_std_(params.get<double>("max_std")), quantiles_(normal_quantiles()) {}

  unsigned capabilities() const override { return applies; }

  at::Tensor apply(const at::Tensor& images, bcx::sdk::Draws& draws) const override {
    const auto std = pixels::per_picture(draws.uniform(1)) * max_std_;
    const auto cell = draws.field(images.sizes().slice(1)).mul_(static_cast<double>(cells));
    const auto normal = quantiles_.to(images.device(), /*non_blocking=*/true)
                            .index_select(0, cell.to(at::kInt).flatten())
                            .view_as(images);
    return (normal * std).add_(images).clamp_(0.0, 1.0);
  }

 private:
  double max_std_;
  at::Tensor quantiles_;  // [cells], on the host
};

}  // namespace

BCX_PLUGIN(bcx::sdk::augmentation<Noise>("noise"))
