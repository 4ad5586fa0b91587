// Shears each picture about its centre, by angles uniform in [-x, x) and [-y, y): torchvision's
// RandomAffine(shear = ...).
#include <ATen/ATen.h>
#include <bcx/sdk/augmentation.h>
#include <bcx/sdk/plugin.h>

namespace {

class Shear final : public bcx::sdk::Augmentation {
 public:
  explicit Shear(const bcx::sdk::Params& params)
      : x_(params.get<double>("x")), y_(params.get<double>("y")) {}

  unsigned capabilities() const override { return composes; }

  void compose(bcx::sdk::Draws& draws, bcx::sdk::Affine& affine) const override {
    const auto u = draws.uniform(2) * 2.0 - 1.0;
    affine.shear(u.select(1, 0) * x_, u.select(1, 1) * y_);
  }

 private:
  double x_, y_;
};

}  // namespace

BCX_PLUGIN(bcx::sdk::augmentation<Shear>("shear"))
