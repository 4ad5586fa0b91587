// Brightness, contrast, saturation and hue as torchvision's ColorJitter defines them, always in
// this order (torchvision shuffles the order; a fixed one treats a whole batch in one pass each).
//
//     blend(a, b, f) = clamp(f a + (1 - f) b, 0, 1)
//     grey           = 0.2989 R + 0.587 G + 0.114 B
//     brightness     blend(image, 0, f)
//     contrast       blend(image, the mean of the image's grey, f)
//     saturation     blend(image, grey, f)
//     hue            H of HSV moves by f, a share of the circle
//
// Each picture's four factors come from draws 0 to 3 of its stream, used or not: switching one
// change on leaves the others as they were.
#include <bcx/sdk/augmentation.h>
#include <bcx/sdk/plugin.h>

#include <algorithm>

#include "../pixels.h"

namespace {

using at::Tensor;
using pixels::exact_mean;
using pixels::grey;

Tensor blend(const Tensor& a, const Tensor& b, const Tensor& factor) {
  return (a * factor).add_(b * (1.0 - factor)).clamp_(0.0, 1.0);
}

// With M and m the largest and smallest channel, C = M - m and H in sixths of the circle, HSV to
// RGB is M - C clamp(min(k, 4 - k), 0, 1) with k = (n + H) mod 6 and n = 5, 3, 1 for R, G, B: no
// cases, and V and S are not needed. (Smith, "Color gamut transform pairs", 1978, in a closed
// form.)
Tensor shift_hue(const Tensor& images, const Tensor& turns) {
  const auto r = images.narrow(1, 0, 1), g = images.narrow(1, 1, 1), b = images.narrow(1, 2, 1);
  const auto largest = images.amax(1, true), chroma = largest - images.amin(1, true);
  const auto divisor = at::where(chroma == 0.0, 1.0, chroma).to(images.scalar_type());
  const auto sixths =
      at::where(largest == r, (g - b) / divisor,
                at::where(largest == g, (b - r) / divisor + 2.0, (r - g) / divisor + 4.0));
  const auto offsets = at::arange(5, 0, -2, images.options()).view({1, 3, 1, 1});
  auto k = at::empty_like(images);  // with the layout of the images, which sixths does not know
  at::add_out(k, sixths + turns * 6.0, offsets).remainder_(6.0);
  const auto drop = at::minimum(k, 4.0 - k).clamp_(0.0, 1.0).mul_(chroma);
  return drop.neg_().add_(largest).clamp_min_(0.0);
}

class ColorJitter final : public bcx::sdk::Augmentation {
 public:
  explicit ColorJitter(const bcx::sdk::Params& params)
      : brightness_(params.get<double>("brightness")),
        contrast_(params.get<double>("contrast")),
        saturation_(params.get<double>("saturation")),
        hue_(params.get<double>("hue")) {}

  unsigned capabilities() const override { return applies; }

  Tensor apply(const Tensor& images, bcx::sdk::Draws& draws) const override {
    const auto u = draws.uniform(4).view({-1, 4, 1, 1});
    const auto factor = [&](std::int64_t index, double range) {
      const double low = std::max(1.0 - range, 0.0);
      return u.narrow(1, index, 1) * (1.0 + range - low) + low;
    };
    Tensor result = images;
    if (brightness_ > 0.0) result = (result * factor(0, brightness_)).clamp_(0.0, 1.0);
    if (contrast_ > 0.0) result = blend(result, exact_mean(grey(result)), factor(1, contrast_));
    if (saturation_ > 0.0) result = blend(result, grey(result), factor(2, saturation_));
    if (hue_ > 0.0) result = shift_hue(result, (u.narrow(1, 3, 1) * 2.0 - 1.0) * hue_);
    return result;
  }

 private:
  double brightness_, contrast_, saturation_, hue_;
};

}  // namespace

BCX_PLUGIN(bcx::sdk::augmentation<ColorJitter>("color_jitter"))
