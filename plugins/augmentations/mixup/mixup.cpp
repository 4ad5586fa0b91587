// Mixtures of two samples, pictures and targets alike.
//
// mixup    each sample becomes share * itself + (1 - share) * a partner (Zhang, Cisse, Dauphin,
//          Lopez-Paz, "mixup: beyond empirical risk minimization", 2018)
// cutmix   a rectangle of each picture, 1 - share of its area, comes from the partner (Yun, Han,
// Oh,
//          Chun, Choe, Yoo, "CutMix", 2019; torchvision's rules: its centre is any pixel, its half
//          sides are rounded down, what lies outside is cut off, and the targets are mixed by the
//          area that is left)
//
// with share ~ Beta(alpha, alpha) drawn for each sample; there one share serves a whole batch,
// which has more variance. Partners form one random cycle through the batch: sample i's is the one
// whose draw follows i's in order of size, so that nobody is mixed with itself. Draws: 0 makes the
// share, 1 orders the cycle, 2 and 3 place the rectangle. A batch of one stays as it is.
#include <ATen/ATen.h>
#include <bcx/sdk/augmentation.h>
#include <bcx/sdk/plugin.h>

#include "beta_quantile.h"

namespace {

using at::Tensor;
using bcx::sdk::Batch;
using bcx::sdk::Draws;

/// [N] int64: whom each sample is mixed with.
Tensor partners(const Tensor& u) {
  const auto order = at::argsort(u.select(1, 1), /*stable=*/true, /*dim=*/0);
  return at::empty_like(order).scatter_(0, order, order.roll(-1));
}

// Not at::lerp, whose rounding depends on how threads share the work.
Tensor mixed(const Tensor& x, const Tensor& partner, const Tensor& given) {
  return x + (x.index_select(0, partner) - x) * given;
}

class Mixup final : public bcx::sdk::Augmentation {
 public:
  explicit Mixup(const bcx::sdk::Params& params) : quantile_(params.get<double>("alpha")) {}

  unsigned capabilities() const override { return mixes; }

  void mix(Batch& batch, Draws& draws) const override {
    const auto u = draws.uniform(2);
    if (draws.size() < 2) return;
    const auto partner = partners(u);
    const auto given = 1.0 - quantile_(u.select(1, 0));  // the partner's share
    batch.images = mixed(batch.images, partner, given.view({-1, 1, 1, 1}));
    batch.targets = mixed(batch.targets, partner, given.view({-1, 1}));
  }

 private:
  mixup::BetaQuantile quantile_;
};

class CutMix final : public bcx::sdk::Augmentation {
 public:
  explicit CutMix(const bcx::sdk::Params& params) : quantile_(params.get<double>("alpha")) {}

  unsigned capabilities() const override { return mixes; }

  void mix(Batch& batch, Draws& draws) const override {
    const auto u = draws.uniform(4);
    if (draws.size() < 2) return;
    const auto partner = partners(u);
    const auto half = (1.0 - quantile_(u.select(1, 0))).sqrt_().mul_(0.5);  // share of a side
    const std::int64_t rows = batch.images.size(2), columns = batch.images.size(3);
    const auto within_rows = band(u.select(1, 3), half, rows);
    const auto within_columns = band(u.select(1, 2), half, columns);
    const auto given = (within_rows.sum(1) * within_columns.sum(1)).to(at::kFloat) /
                       static_cast<double>(rows * columns);
    batch.images = at::where(at::logical_and(within_rows.view({-1, 1, rows, 1}),
                                             within_columns.view({-1, 1, 1, columns})),
                             batch.images.index_select(0, partner), batch.images);
    batch.targets = mixed(batch.targets, partner, given.view({-1, 1}));
  }

 private:
  /// [N, size], true where the rectangle covers this axis.
  static Tensor band(const Tensor& u, const Tensor& half, std::int64_t size) {
    const auto centre = (u * static_cast<double>(size)).floor_().unsqueeze(1);
    const auto reach = (half * static_cast<double>(size)).floor_().unsqueeze(1);
    const auto place = at::arange(size, u.options());
    return at::logical_and(place >= centre - reach, place < centre + reach);
  }

  mixup::BetaQuantile quantile_;
};

}  // namespace

BCX_PLUGIN(bcx::sdk::augmentation<Mixup>("mixup"), bcx::sdk::augmentation<CutMix>("cutmix"))
