// Mirrors each picture left-right and top-bottom, each with its own probability.
#include <ATen/ATen.h>
#include <bcx/sdk/augmentation.h>
#include <bcx/sdk/plugin.h>

namespace {

class Flip final : public bcx::sdk::Augmentation {
 public:
  explicit Flip(const bcx::sdk::Params& params)
      : horizontal_(params.get<double>("horizontal")), vertical_(params.get<double>("vertical")) {}

  unsigned capabilities() const override { return composes; }

  void compose(bcx::sdk::Draws& draws, bcx::sdk::Affine& affine) const override {
    const auto u = draws.uniform(2);
    affine.flip(u.select(1, 0) < horizontal_, u.select(1, 1) < vertical_);
  }

 private:
  double horizontal_, vertical_;
};

}  // namespace

BCX_PLUGIN(bcx::sdk::augmentation<Flip>("flip"))
