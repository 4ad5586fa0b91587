// Multiplies each picture by a factor of its own, uniform in [1 - strength, 1 + strength).
#include <ATen/ATen.h>
#include <bcx/sdk/augmentation.h>
#include <bcx/sdk/plugin.h>

namespace {

class @CLASS@ final : public bcx::sdk::Augmentation {
 public:
  explicit @CLASS@(const bcx::sdk::Params& params) : strength_(params.get<double>("strength")) {}

  // compose() turns and shifts, apply() changes colours, mix() sees targets: have any of them.
  unsigned capabilities() const override { return applies; }

  // images [N, 3, H, W] in [0, 1]; a new tensor, for the input is another's. One number a picture
  // comes from `draws`: the same on any device, with any batch size, and after a resume.
  at::Tensor apply(const at::Tensor& images, bcx::sdk::Draws& draws) const override {
    const auto factor = 1.0 + (draws.uniform(1) * 2.0 - 1.0) * strength_;
    return (images * factor.view({-1, 1, 1, 1})).clamp_(0.0, 1.0);
  }

 private:
  double strength_;
};

}  // namespace

BCX_PLUGIN(bcx::sdk::augmentation<@CLASS@>("@NAME@"))
