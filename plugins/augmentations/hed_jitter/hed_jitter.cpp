// Makes the stains of each picture a little stronger or weaker, as laboratories differ (Tellez et
// al., "Whole-slide mitosis detection in H&E breast histology using PHH3 as a reference to train
// distilled stain-invariant convolutional networks", 2018):
//
//     stain' = stain * (1 + a) + b,  a in [-scale, scale), b in [-shift, shift)
//
// with a and b drawn for each picture and each of haematoxylin, eosin and DAB (hed.h:
// scikit-image's rgb2hed and its units, in which tissue is about 0.05 to 0.2). Without a change a
// picture stays exactly as it is. Any colour is allowed: white has no stain, black as much as 1e-6
// of the light lets through. Draws: three for a, three for b.
#include <ATen/ATen.h>
#include <bcx/sdk/augmentation.h>
#include <bcx/sdk/plugin.h>

#include "../pixels.h"
#include "hed.h"

namespace {

class HedJitter final : public bcx::sdk::Augmentation {
 public:
  explicit HedJitter(const bcx::sdk::Params& params)
      : scale_(params.get<double>("scale")), shift_(params.get<double>("shift")) {}

  unsigned capabilities() const override { return applies; }

  at::Tensor apply(const at::Tensor& images, bcx::sdk::Draws& draws) const override {
    if (scale_ == 0.0 && shift_ == 0.0) return images;
    const auto u = draws.uniform(6).view({-1, 6, 1, 1});
    const auto scale = pixels::between(u.narrow(1, 0, 3), -scale_, scale_);
    const auto shift = pixels::between(u.narrow(1, 3, 3), -shift_, shift_);
    return hed::changed(images, (hed::from_rgb(images) * scale).add_(shift));
  }

 private:
  double scale_, shift_;
};

}  // namespace

BCX_PLUGIN(bcx::sdk::augmentation<HedJitter>("hed_jitter"))
