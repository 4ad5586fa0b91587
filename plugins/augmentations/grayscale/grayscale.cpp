// Takes the colour out of some pictures: torchvision's RandomGrayscale.
#include <bcx/sdk/augmentation.h>
#include <bcx/sdk/plugin.h>

#include "../pixels.h"

namespace {

class Grayscale final : public bcx::sdk::Augmentation {
 public:
  explicit Grayscale(const bcx::sdk::Params& params)
      : probability_(params.get<double>("probability")) {}

  unsigned capabilities() const override { return applies; }

  at::Tensor apply(const at::Tensor& images, bcx::sdk::Draws& draws) const override {
    const auto chosen = pixels::per_picture(draws.uniform(1) < probability_);
    return at::where(chosen, pixels::grey(images), images);
  }

 private:
  double probability_;
};

}  // namespace

BCX_PLUGIN(bcx::sdk::augmentation<Grayscale>("grayscale"))
