// Zooms each picture about its centre, by a factor uniform in [min, max): torchvision's
// RandomAffine(scale = (min, max)). A factor above 1 enlarges. (Keras's zoom_range has the factor's
// reciprocal, which shrinks above 1, and draws the two directions apart.)
#include <ATen/ATen.h>
#include <bcx/sdk/augmentation.h>
#include <bcx/sdk/plugin.h>

namespace {

class Zoom final : public bcx::sdk::Augmentation {
 public:
  explicit Zoom(const bcx::sdk::Params& params)
      : min_(params.get<double>("min")), max_(params.get<double>("max")) {}

  unsigned capabilities() const override { return composes; }

  void compose(bcx::sdk::Draws& draws, bcx::sdk::Affine& affine) const override {
    const auto factor = draws.uniform(1).select(1, 0) * (max_ - min_) + min_;
    affine.scale(factor, factor);
  }

 private:
  double min_, max_;
};

}  // namespace

BCX_PLUGIN(bcx::sdk::augmentation<Zoom>("zoom"))
