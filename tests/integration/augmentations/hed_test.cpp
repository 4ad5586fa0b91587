// hed_jitter against scikit-image's rgb2hed and hed2rgb.
#include "../../../plugins/augmentations/hed_jitter/hed.h"
#include "augmentation_fixture.h"
#include "references.h"

namespace {

using bcx::test::reference;

at::Tensor jitter(const at::Tensor& images, double scale, double shift) {
  auto numbers = bcx::test::draws(bcx::test::samples(static_cast<std::size_t>(images.size(0))));
  return bcx::test::augmentation("hed_jitter", {{"scale", scale}, {"shift", shift}})
      ->apply(images, numbers);
}

double worst(const at::Tensor& x, const at::Tensor& y) {
  return (x.to(at::kDouble) - y.to(at::kDouble)).abs().max().item<double>();
}

}  // namespace

TEST_CASE("stains are separated as scikit-image does it") {
  CHECK(worst(hed::from_rgb(reference("hed.rgb").unsqueeze(0))[0], reference("hed.stains")) < 1e-4);
}

TEST_CASE("changed stains give scikit-image's colours") {
  const auto tissue = reference("hed.tissue").unsqueeze(0);
  const auto stains = hed::from_rgb(tissue);
  CHECK(worst(hed::changed(tissue, stains * 0.05 - 0.01)[0], reference("hed.changed")) < 1e-4);
}

TEST_CASE("hed_jitter changes each stain of each picture by its own draws") {
  const auto tissue = reference("hed.tissue").expand({400, 3, 16, 16});
  const auto before = hed::from_rgb(tissue.narrow(0, 0, 1)).to(at::kDouble);
  const auto after = hed::from_rgb(jitter(tissue, 0.1, 0.01)).to(at::kDouble);
  // In each picture and stain `after` is a line over `before`: slope 1 + a, intercept b.
  const auto x = before.flatten(2) - before.flatten(2).mean(2, true);
  const auto slope = (after.flatten(2) * x).sum(2) / (x * x).sum(2);
  const auto intercept = after.flatten(2).mean(2) - slope * before.flatten(2).mean(2);
  CHECK((slope - 1).abs().max().item<double>() < 0.101);
  CHECK((slope - 1).abs().max().item<double>() > 0.098);
  CHECK(intercept.abs().max().item<double>() < 0.0101);
  CHECK(intercept.abs().max().item<double>() > 0.0098);
  const auto fitted = slope.unsqueeze(2) * before.flatten(2) + intercept.unsqueeze(2);
  CHECK(worst(fitted, after.flatten(2)) < 1e-4);
  CHECK(std::abs(at::corrcoef(slope.t())[0][1].item<double>()) < 0.2);
}

TEST_CASE("hed_jitter is total, and nothing to do changes nothing") {
  const auto colours = reference("hed.rgb").unsqueeze(0);  // with white and black, and no tissue
  CHECK(jitter(colours, 0.0, 0.0).is_same(colours));
  CHECK(worst(jitter(colours, 1e-7, 0.0), colours) < 1e-5);
  const auto strong = jitter(colours, 1.0, 1.0);
  CHECK_FALSE(strong.isnan().any().item<bool>());
  CHECK(strong.min().item<double>() >= 0.0);
  CHECK(strong.max().item<double>() <= 1.0);
}
