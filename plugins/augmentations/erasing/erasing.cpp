// Covers a random rectangle of some pictures (Zhong, Zheng, Kang, Li, Yang, "Random erasing data
// augmentation", 2020; torchvision's RandomErasing, whose rules for the rectangle these are).
//
// Areas are uniform, ratios (height to width) uniform in their logarithm; sides are rounded to
// pixels. Each sample draws ten pairs and takes the first that is smaller than the picture in both
// directions; where there is none, the picture stays whole.
#include <bcx/sdk/augmentation.h>
#include <bcx/sdk/plugin.h>

#include <cmath>

#include "../pixels.h"

namespace {

using at::Tensor;
using bcx::sdk::Draws;

class Erasing final : public bcx::sdk::Augmentation {
 public:
  explicit Erasing(const bcx::sdk::Params& params)
      : probability_(params.get<double>("probability")),
        min_area_(params.get<double>("min_area")),
        max_area_(params.get<double>("max_area")),
        min_ratio_(params.get<double>("min_ratio")),
        max_ratio_(params.get<double>("max_ratio")),
        fill_(params.get<std::string>("fill")) {}

  unsigned capabilities() const override { return applies; }

  Tensor apply(const Tensor& images, Draws& draws) const override {
    return at::where(rectangles(images, draws), filling(images, draws), images);
  }

 private:
  /// [N, 1, H, W], true where a picture is covered.
  Tensor rectangles(const Tensor& images, Draws& draws) const {
    const auto rows = static_cast<double>(images.size(2)),
               columns = static_cast<double>(images.size(3));
    const auto u = draws.uniform(3);
    const auto area = pixels::between(draws.uniform(tries), min_area_ * rows * columns,
                                      max_area_ * rows * columns);
    const auto ratio =
        pixels::between(draws.uniform(tries), std::log(min_ratio_), std::log(max_ratio_)).exp_();
    const auto heights = (area * ratio).sqrt_().round_(), widths = (area / ratio).sqrt_().round_();
    const auto fits = at::logical_and(heights < rows, widths < columns);
    const auto first = fits.to(at::kInt).argmax(1, /*keepdim=*/true);
    const auto height = heights.gather(1, first), width = widths.gather(1, first);
    const auto top = (u.narrow(1, 1, 1) * (rows - height + 1.0)).floor_();
    const auto left = (u.narrow(1, 2, 1) * (columns - width + 1.0)).floor_();
    const auto chosen = at::logical_and(u.narrow(1, 0, 1) < probability_, fits.any(1, true));

    const auto y = at::arange(images.size(2), u.options()),
               x = at::arange(images.size(3), u.options());
    const auto within_rows = at::logical_and(y >= top, y < top + height).logical_and_(chosen);
    const auto within_columns = at::logical_and(x >= left, x < left + width);
    return at::logical_and(within_rows.view({-1, 1, images.size(2), 1}),
                           within_columns.view({-1, 1, 1, images.size(3)}));
  }

  Tensor filling(const Tensor& images, Draws& draws) const {
    if (fill_ == "noise") return draws.field(images.sizes().slice(1));
    if (fill_ == "mean") return pixels::exact_mean(images);
    return at::zeros({1, 1, 1, 1}, images.options());
  }

  static constexpr std::int64_t tries = 10;
  double probability_, min_area_, max_area_, min_ratio_, max_ratio_;
  std::string fill_;
};

}  // namespace

BCX_PLUGIN(bcx::sdk::augmentation<Erasing>("erasing"))
