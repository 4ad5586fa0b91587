// mixup: each sample becomes share * itself + (1 - share) * a partner, pictures and targets alike,
// with share ~ Beta(alpha, alpha) drawn for each sample (Zhang, Cisse, Dauphin, Lopez-Paz, "mixup:
// beyond empirical risk minimization", 2018; there one share serves a whole batch, which has more
// variance).
//
// Partners form one random cycle through the batch: sample i's is the one whose draw follows i's in
// order of size, so that nobody is mixed with itself. Draws: 0 makes the share, 1 orders the cycle.
// A batch of one stays as it is.
#include <ATen/ATen.h>
#include <bcx/sdk/augmentation.h>
#include <bcx/sdk/plugin.h>

#include "beta_quantile.h"

namespace {

class Mixup final : public bcx::sdk::Augmentation {
 public:
  explicit Mixup(const bcx::sdk::Params& params) : quantile_(params.get<double>("alpha")) {}

  unsigned capabilities() const override { return mixes; }

  void mix(bcx::sdk::Batch& batch, bcx::sdk::Draws& draws) const override {
    const auto u = draws.uniform(2);
    if (draws.size() < 2) return;
    const auto order = at::argsort(u.select(1, 1), /*stable=*/true, /*dim=*/0);
    const auto partner = at::empty_like(order).scatter_(0, order, order.roll(-1));
    const auto given = 1.0 - quantile_(u.select(1, 0));  // the partner's share
    batch.images = mixed(batch.images, partner, given.view({-1, 1, 1, 1}));
    batch.targets = mixed(batch.targets, partner, given.view({-1, 1}));
  }

 private:
  // Not at::lerp, whose rounding depends on how threads share the work.
  static at::Tensor mixed(const at::Tensor& x, const at::Tensor& partner, const at::Tensor& given) {
    return x + (x.index_select(0, partner) - x) * given;
  }

  mixup::BetaQuantile quantile_;
};

}  // namespace

BCX_PLUGIN(bcx::sdk::augmentation<Mixup>("mixup"))
