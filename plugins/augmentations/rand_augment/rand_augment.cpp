// Policies that draw operations at random and have next to nothing to tune, each picture with a
// draw of its own:
//
// rand_augment      num_ops operations one after the other, all of the same magnitude (Cubuk, Zoph,
//                   Shlens, Le, "RandAugment", 2020; torchvision's RandAugment)
// trivial_augment   one operation of a random magnitude from a wider range (Mueller, Hutter,
//                   "TrivialAugment", 2021; torchvision's TrivialAugmentWide)
//
// Operations, ranges and magnitude bins are torchvision's (operations.h); two things are bcx's own.
// Geometric operations compose into the one warp that comes first, bilinear and with the border's
// pixels beyond the border, so in a chain of two a photometric operation sees the turned picture
// even where it was drawn before the turn. And 8-bit values are formed once, after the warp.
//
// An operation is drawn in compose() and again, from the same numbers, in apply(): each does its
// part of it. Draws: for each step operation, sign, magnitude.
#include <ATen/ATen.h>
#include <bcx/sdk/augmentation.h>
#include <bcx/sdk/plugin.h>

#include "operations.h"

namespace {

using at::Tensor;
using auto_augment::bins;
using auto_augment::Step;
using bcx::sdk::Affine;
using bcx::sdk::Draws;

class Policy : public bcx::sdk::Augmentation {
 public:
  explicit Policy(const auto_augment::Ranges& ranges) : ranges_(ranges) {}

  unsigned capabilities() const override { return composes | applies; }

  void compose(Draws& draws, Affine& affine) const override {
    for (const Step& step : steps(draws, affine.width(), affine.height()))
      auto_augment::compose(step, affine);
  }

  Tensor apply(const Tensor& images, Draws& draws) const override {
    auto levels = (images * 255.0).round_().clamp_(0.0, 255.0);
    for (const Step& step : steps(draws, images.size(3), images.size(2)))
      levels = auto_augment::apply(step, levels);
    return levels.div_(255.0);
  }

 private:
  virtual std::int64_t num_ops() const = 0;
  /// [N] int64: the magnitude's bin, from numbers that are uniform in [0, 1).
  virtual Tensor bin(const Tensor& uniform) const = 0;

  std::vector<Step> steps(Draws& draws, std::int64_t width, std::int64_t height) const {
    const auto table = auto_augment::magnitudes(ranges_, width, height)
                           .to(draws.device(), /*non_blocking=*/true)
                           .flatten();
    std::vector<Step> result;
    for (std::int64_t i = 0; i < num_ops(); ++i) {
      const auto u = draws.uniform(3);
      const auto operation =
          (u.select(1, 0) * static_cast<double>(auto_augment::operation_count)).to(at::kLong);
      const auto size = table.index_select(0, operation * bins + bin(u.select(1, 2)));
      const auto has_sign =
          at::logical_and(operation >= auto_augment::shear_x, operation <= auto_augment::sharpness);
      const auto negative = at::logical_and(has_sign, u.select(1, 1) < 0.5);
      result.push_back({operation, at::where(negative, -size, size)});
    }
    return result;
  }

  auto_augment::Ranges ranges_;
};

class RandAugment final : public Policy {
 public:
  explicit RandAugment(const bcx::sdk::Params& params)
      : Policy(auto_augment::rand_augment_ranges),
        num_ops_(params.get<int>("num_ops")),
        magnitude_(params.get<int>("magnitude")) {}

 private:
  std::int64_t num_ops() const override { return num_ops_; }
  Tensor bin(const Tensor& uniform) const override {
    return at::full_like(uniform, magnitude_, uniform.options().dtype(at::kLong));
  }

  std::int64_t num_ops_, magnitude_;
};

class TrivialAugment final : public Policy {
 public:
  explicit TrivialAugment(const bcx::sdk::Params&) : Policy(auto_augment::trivial_augment_ranges) {}

 private:
  std::int64_t num_ops() const override { return 1; }
  Tensor bin(const Tensor& uniform) const override {
    return (uniform * static_cast<double>(bins)).to(at::kLong);
  }
};

}  // namespace

BCX_PLUGIN(bcx::sdk::augmentation<RandAugment>("rand_augment"),
           bcx::sdk::augmentation<TrivialAugment>("trivial_augment"))
