// Turns each picture about its centre, by an angle uniform in [-degrees, degrees).
#include <ATen/ATen.h>
#include <bcx/sdk/augmentation.h>
#include <bcx/sdk/plugin.h>

namespace {

class Rotate final : public bcx::sdk::Augmentation {
 public:
  explicit Rotate(const bcx::sdk::Params& params) : degrees_(params.get<double>("degrees")) {}

  unsigned capabilities() const override { return composes; }

  void compose(bcx::sdk::Draws& draws, bcx::sdk::Affine& affine) const override {
    const auto u = draws.uniform(1).select(1, 0);
    affine.rotate((u * 2.0 - 1.0) * degrees_);
  }

 private:
  double degrees_;
};

}  // namespace

BCX_PLUGIN(bcx::sdk::augmentation<Rotate>("rotate"))
