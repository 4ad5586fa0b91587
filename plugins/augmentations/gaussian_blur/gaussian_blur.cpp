// Blurs some pictures with a Gaussian, mirrored at the borders: torchvision's GaussianBlur with a
// kernel of 2 radius + 1 pixels, whose standard deviation is drawn for each picture.
//
//     w(k) = exp(-(k / sigma)^2 / 2) / sum, k = -radius .. radius, along rows and then along
//     columns
#include <bcx/sdk/augmentation.h>
#include <bcx/sdk/plugin.h>

#include <algorithm>

#include "../pixels.h"

namespace {

using at::Tensor;

/// [N, 2 radius + 1]
Tensor kernels(const Tensor& sigma, std::int64_t radius) {
  const auto steps = at::arange(-radius, radius + 1, sigma.options());
  const auto height = (steps / sigma.unsqueeze(1)).square_().mul_(-0.5).exp_();
  return height / height.sum(1, true);
}

Tensor along(const Tensor& padded, std::int64_t dim, const Tensor& kernel) {
  const std::int64_t size = padded.size(dim) - kernel.size(1) + 1;
  Tensor sum;
  for (std::int64_t k = 0; k < kernel.size(1); ++k) {
    const auto part = padded.narrow(dim, k, size) * pixels::per_picture(kernel.select(1, k));
    sum = sum.defined() ? sum.add_(part) : part;
  }
  return sum;
}

class GaussianBlur final : public bcx::sdk::Augmentation {
 public:
  explicit GaussianBlur(const bcx::sdk::Params& params)
      : probability_(params.get<double>("probability")),
        radius_(params.get<int>("radius")),
        min_sigma_(params.get<double>("min_sigma")),
        max_sigma_(params.get<double>("max_sigma")) {}

  unsigned capabilities() const override { return applies; }

  Tensor apply(const Tensor& images, bcx::sdk::Draws& draws) const override {
    const auto u = draws.uniform(2);
    const auto sigma = pixels::between(u.select(1, 1), min_sigma_, max_sigma_);
    const auto chosen = pixels::per_picture(u.select(1, 0) < probability_);
    // A mirror is no deeper than the picture.
    const std::int64_t r = std::min({radius_, images.size(2) - 1, images.size(3) - 1});
    const auto kernel = kernels(sigma, r);
    const auto padded = at::reflection_pad2d(images, {r, r, r, r});
    const auto blurred = along(along(padded, 3, kernel), 2, kernel).clamp_(0.0, 1.0);
    return at::where(chosen, blurred, images);
  }

 private:
  double probability_;
  std::int64_t radius_;
  double min_sigma_, max_sigma_;
};

}  // namespace

BCX_PLUGIN(bcx::sdk::augmentation<GaussianBlur>("gaussian_blur"))
