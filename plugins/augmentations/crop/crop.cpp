// Windows of the picture, enlarged to fill it. Both compose: what is shown is read from the cached
// pixels in the one warp, so that with a data.cache_size above data.image_size nothing is blurred.
//
// crop            a window of a fixed share of each side, at a random place: share = 0.875 with
//                 cache_size = 256 and image_size = 224 is torchvision's RandomCrop(224) of a
//                 picture of 256
// resized_crop    a window of random area and aspect ratio (torchvision's RandomResizedCrop, with
//                 real numbers where it rounds to pixels). Areas are uniform, ratios (width to
//                 height) uniform in their logarithm. Each sample draws ten of each; the first pair
//                 that fits into the picture is its window. Where none fits, it is the largest
//                 window in the middle whose ratio is allowed.
#include <ATen/ATen.h>
#include <bcx/sdk/augmentation.h>
#include <bcx/sdk/plugin.h>

#include <algorithm>
#include <cmath>

namespace {

using at::Tensor;
using bcx::sdk::Affine;
using bcx::sdk::Draws;

/// Shows the window of `width` by `height` (shares of the sides) whose place is given by x and y: 0
/// at the left or top border, 1 at the other. All [N].
void show(Affine& affine, const Tensor& width, const Tensor& height, const Tensor& x,
          const Tensor& y) {
  const auto zero = at::zeros_like(width);
  const auto left = (x - 0.5) * (1.0 - width) * static_cast<double>(affine.width());
  const auto top = (y - 0.5) * (1.0 - height) * static_cast<double>(affine.height());
  affine.compose(at::stack({width, zero, left, zero, height, top}, 1).view({-1, 2, 3}));
}

class Crop final : public bcx::sdk::Augmentation {
 public:
  explicit Crop(const bcx::sdk::Params& params) : share_(params.get<double>("share")) {}

  unsigned capabilities() const override { return composes; }

  void compose(Draws& draws, Affine& affine) const override {
    const auto u = draws.uniform(2);
    const auto side = at::full_like(u.select(1, 0), share_);
    show(affine, side, side, u.select(1, 0), u.select(1, 1));
  }

 private:
  double share_;
};

class ResizedCrop final : public bcx::sdk::Augmentation {
 public:
  explicit ResizedCrop(const bcx::sdk::Params& params)
      : min_area_(params.get<double>("min_area")),
        max_area_(params.get<double>("max_area")),
        min_ratio_(params.get<double>("min_ratio")),
        max_ratio_(params.get<double>("max_ratio")) {}

  unsigned capabilities() const override { return composes; }

  void compose(Draws& draws, Affine& affine) const override {
    const double sides = static_cast<double>(affine.width()) / static_cast<double>(affine.height());
    const auto place = draws.uniform(2);
    const auto area = draws.uniform(tries) * (max_area_ - min_area_) + min_area_;
    const auto ratio =
        (draws.uniform(tries) * std::log(max_ratio_ / min_ratio_) + std::log(min_ratio_)).exp_();
    // As shares of the sides: a square window of a wide picture has a ratio below 1.
    const auto width = (area * ratio / sides).sqrt_(), height = (area / ratio * sides).sqrt_();
    const auto fits = at::logical_and(width <= 1.0, height <= 1.0);
    const auto first = fits.to(at::kInt).argmax(1, /*keepdim=*/true);  // 0 where none fits
    const auto any = fits.any(1);
    const auto chosen = [&](const Tensor& tried, double otherwise) {
      return at::where(any, tried.gather(1, first).squeeze(1), otherwise).to(at::kFloat);
    };
    const auto middle = at::where(any, place.t(), 0.5).to(at::kFloat);
    const double allowed = std::clamp(sides, min_ratio_, max_ratio_) / sides;
    show(affine, chosen(width, std::min(allowed, 1.0)),
         chosen(height, std::min(1.0 / allowed, 1.0)), middle.select(0, 0), middle.select(0, 1));
  }

 private:
  static constexpr std::int64_t tries = 10;
  double min_area_, max_area_, min_ratio_, max_ratio_;
};

}  // namespace

BCX_PLUGIN(bcx::sdk::augmentation<Crop>("crop"),
           bcx::sdk::augmentation<ResizedCrop>("resized_crop"))
