#include <boost/math/special_functions/beta.hpp>

#include "../../../plugins/augmentations/mixup/beta_quantile.h"
#include "augmentation_fixture.h"

namespace {

using bcx::test::draws;
using bcx::test::pictures;
using bcx::test::samples;

bcx::sdk::Batch batch(std::int64_t n) {
  return {.images = pictures(n).contiguous(at::MemoryFormat::ChannelsLast),
          .targets = at::eye(n, at::kFloat)};
}

bcx::sdk::Batch mixed(const bcx::sdk::Batch& given, double alpha,
                      const std::string& name = "mixup") {
  const auto mixup = bcx::test::augmentation(name, {{"alpha", alpha}}, "mixup");
  CHECK(mixup->capabilities() == bcx::sdk::Augmentation::mixes);
  auto result = given;
  auto numbers = draws(samples(static_cast<std::size_t>(given.images.size(0))));
  mixup->mix(result, numbers);
  return result;
}

}  // namespace

TEST_CASE("mixup mixes pictures and targets of the same two samples in the same shares") {
  const auto given = batch(9);
  const auto images = given.images.clone();
  const auto result = mixed(given, 1.0);
  CHECK(at::equal(given.images, images));
  CHECK(at::equal(given.targets, at::eye(9, at::kFloat)));
  CHECK(result.images.is_contiguous(at::MemoryFormat::ChannelsLast));
  CHECK(at::allclose(result.targets.sum(1), at::ones({9})));

  // With one-hot targets of N classes the new targets are the mixing matrix itself.
  const auto expected = at::matmul(result.targets, images.reshape({9, 105})).view_as(images);
  CHECK(at::allclose(result.images, expected, 0.0, 1e-6));
  CHECK((result.targets > 0).sum(1).max().item<std::int64_t>() == 2);
  // One cycle: following partners from any sample visits all nine.
  const auto partner = (result.targets - at::diag(result.targets.diagonal())).argmax(1);
  std::int64_t at = 0, visited = 0;
  do {
    at = partner[at].item<std::int64_t>();
    ++visited;
  } while (at != 0 && visited < 9);
  CHECK(visited == 9);
}

TEST_CASE("mixup is a function of its draws, and leaves a single sample alone") {
  const auto once = mixed(batch(6), 0.2), again = mixed(batch(6), 0.2);
  CHECK(at::equal(once.images, again.images));
  CHECK(at::equal(once.targets, again.targets));
  CHECK(at::equal(mixed(batch(1), 0.2).images, batch(1).images));
}

TEST_CASE(
    "cutmix puts a rectangle of one partner into each picture, and its share into the target") {
  const std::int64_t n = 64, side = 20;
  // Picture i is i everywhere, and so tells where each pixel is from.
  bcx::sdk::Batch given{
      .images =
          at::arange(n, at::kFloat).view({n, 1, 1, 1}).expand({n, 3, side, side}).contiguous(),
      .targets = at::eye(n, at::kFloat)};
  const auto images = given.images.clone();
  const auto result = mixed(given, 1.0, "cutmix");
  CHECK(at::equal(given.images, images));
  CHECK(at::equal(given.targets, at::eye(n, at::kFloat)));
  double largest = 0, smallest = 1, mean = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    const auto foreign = result.images[i] != static_cast<double>(i);
    const auto inside = foreign[0];
    CHECK(at::equal(foreign[1], inside));
    const auto rows = inside.any(1), columns = inside.any(0);
    CHECK(at::equal(inside, rows.unsqueeze(1).logical_and(columns.unsqueeze(0))));
    for (const auto& band : {rows, columns})  // one stretch
      CHECK((band.narrow(0, 1, side - 1) != band.narrow(0, 0, side - 1)).sum().item<int>() <= 2);
    const double share = inside.to(at::kDouble).mean().item<double>();
    largest = std::max(largest, share);
    smallest = std::min(smallest, share);
    mean += share / static_cast<double>(n);
    CHECK(result.targets[i][i].item<double>() == Approx(1 - share).margin(1e-6));
    if (share == 0) continue;
    const auto partner = result.images[i][0].masked_select(inside);
    CHECK(partner.min().item<float>() == partner.max().item<float>());
    CHECK(result.targets[i][partner[0].item<std::int64_t>()].item<double>() ==
          Approx(share).margin(1e-6));
  }
  CHECK(largest > 0.5);
  CHECK(smallest < 0.05);
  // Drawn evenly, halved where the border cuts the rectangle off: 0.27 when counted over all
  // places.
  CHECK(mean == Approx(0.27).margin(0.1));
  CHECK(at::equal(mixed(batch(1), 1.0, "cutmix").images, batch(1).images));
  CHECK(at::equal(mixed(given, 1.0, "cutmix").images, result.images));
}

TEST_CASE("the tabulated quantiles of Beta(a, a) agree with the exact ones") {
  std::vector<float> uniform{0.0F};
  for (int i = 1; i < 500; ++i) uniform.push_back(static_cast<float>(i) / 500);
  for (const float u : {1e-6F, 1e-5F, 1e-3F, 0.999F, 0.99999F, 0.999999F}) uniform.push_back(u);
  for (const double alpha : {0.01, 0.2, 0.5, 1.0, 2.0, 10.0, 100.0}) {
    INFO("alpha " << alpha);
    const auto values = mixup::BetaQuantile(alpha)(at::tensor(uniform, at::kFloat));
    for (std::size_t i = 0; i < uniform.size(); ++i) {
      const double exact = boost::math::ibeta_inv(alpha, alpha, static_cast<double>(uniform[i]));
      CHECK(std::abs(values[static_cast<std::int64_t>(i)].item<double>() - exact) < 1e-3);
    }
  }
}
