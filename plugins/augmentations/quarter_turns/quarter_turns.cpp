// Turns each picture by 0, 90, 180 or 270 degrees and mirrors half of them: one of the square's
// eight symmetries (the dihedral group D4), each as likely as the others. Tissue has no upright,
// and pixels only change places.
#include <ATen/ATen.h>
#include <bcx/sdk/augmentation.h>
#include <bcx/sdk/plugin.h>

namespace {

class QuarterTurns final : public bcx::sdk::Augmentation {
 public:
  explicit QuarterTurns(const bcx::sdk::Params& params) : mirror_(params.get<bool>("mirror")) {}

  unsigned capabilities() const override { return composes; }

  void compose(bcx::sdk::Draws& draws, bcx::sdk::Affine& affine) const override {
    const auto u = draws.uniform(2);
    const auto turns = (u.select(1, 0) * 4.0).floor();
    // Sine and cosine of whole quarters without rounding: pixels must meet pixels.
    const auto odd = turns.remainder(2.0), sign = 1.0 - (turns / 2.0).floor() * 2.0;
    const auto sine = odd * sign, cosine = (1.0 - odd) * sign, zero = at::zeros_like(odd);
    affine.compose(at::stack({cosine, zero - sine, zero, sine, cosine, zero}, 1).view({-1, 2, 3}));
    if (mirror_) affine.flip(u.select(1, 1) < 0.5, zero > 0.0);
  }

 private:
  bool mirror_;
};

}  // namespace

BCX_PLUGIN(bcx::sdk::augmentation<QuarterTurns>("quarter_turns"))
