// What the geometric augmentations do to the affine maps.
#include <numbers>

#include "augmentation_fixture.h"

namespace {

using bcx::sdk::Affine;
using bcx::test::augmentation;
using bcx::test::draws;
using bcx::test::samples;
using bcx::test::Values;

at::Tensor identity(std::int64_t n) {
  return Affine(n, 40, 60, at::kCPU).inverse();
}

at::Tensor inverse_of(const std::string& name, const Values& values,
                      const std::vector<std::uint64_t>& ids) {
  Affine affine(static_cast<std::int64_t>(ids.size()), 40, 60, at::kCPU);
  const auto made = augmentation(name, values, name == "resized_crop" ? "crop" : "");
  CHECK(made->capabilities() == bcx::sdk::Augmentation::composes);
  auto numbers = draws(ids);
  made->compose(numbers, affine);
  return affine.inverse();
}

double entry(const at::Tensor& maps, std::int64_t n, int row, int column) {
  return maps[n][row][column].item<double>();
}

Values crop_of(double min_area, double max_area, double min_ratio = 0.75,
               double max_ratio = 4.0 / 3) {
  return {{"min_area", min_area},
          {"max_area", max_area},
          {"min_ratio", min_ratio},
          {"max_ratio", max_ratio}};
}

const std::vector<std::pair<std::string, Values>> geometric{
    {"flip", {{"horizontal", 0.5}, {"vertical", 0.3}}},
    {"rotate", {{"degrees", 90.0}}},
    {"zoom", {{"min", 0.8}, {"max", 1.25}}},
    {"translate", {{"x", 0.1}, {"y", 0.3}}},
    {"shear", {{"x", 20.0}, {"y", 10.0}}},
    {"quarter_turns", {{"mirror", true}}},
    {"crop", {{"share", 0.7}}},
    {"resized_crop", crop_of(0.08, 1.0)},
};

}  // namespace

TEST_CASE("the same draws give the same map, and a sample's map does not depend on its batch") {
  for (const auto& [name, values] : geometric) {
    INFO(name);
    const auto all = inverse_of(name, values, samples(16));
    CHECK(all.sizes() == at::IntArrayRef({16, 2, 3}));
    CHECK(at::equal(all, inverse_of(name, values, samples(16))));
    CHECK(at::equal(all.slice(0, 7, 8), inverse_of(name, values, {107})));
    CHECK(!at::equal(all.slice(0, 0, 8), all.slice(0, 8, 16)));
  }
}

TEST_CASE("nothing to do is the identity") {
  CHECK(at::equal(inverse_of("flip", {{"horizontal", 0.0}, {"vertical", 0.0}}, samples(4)),
                  identity(4)));
  CHECK(at::equal(inverse_of("rotate", {{"degrees", 0.0}}, samples(4)), identity(4)));
  CHECK(at::equal(inverse_of("zoom", {{"min", 1.0}, {"max", 1.0}}, samples(4)), identity(4)));
  CHECK(at::equal(inverse_of("translate", {{"x", 0.0}, {"y", 0.0}}, samples(4)), identity(4)));
  CHECK(at::equal(inverse_of("shear", {{"x", 0.0}, {"y", 0.0}}, samples(4)), identity(4)));
  CHECK(at::equal(inverse_of("crop", {{"share", 1.0}}, samples(4)), identity(4)));
}

TEST_CASE("flip mirrors with its probabilities, and twice is the identity") {
  Affine affine(4, 40, 60, at::kCPU);
  const auto flip = augmentation("flip", {{"horizontal", 1.0}, {"vertical", 1.0}});
  auto first = draws(samples(4));
  flip->compose(first, affine);
  CHECK(at::equal(affine.inverse(), identity(4) * -1));
  auto second = draws(samples(4));
  flip->compose(second, affine);
  CHECK(at::equal(affine.inverse(), identity(4)));

  const auto maps = inverse_of("flip", {{"horizontal", 0.5}, {"vertical", 0.2}}, samples(4000));
  const auto share = [&](int axis) {
    return (maps.select(1, axis).select(1, axis) < 0).to(at::kDouble).mean().item<double>();
  };
  CHECK(std::abs(share(0) - 0.5) < 0.03);  // four standard deviations
  CHECK(std::abs(share(1) - 0.2) < 0.03);
}

TEST_CASE("rotate turns by angles spread evenly over its range") {
  const auto maps = inverse_of("rotate", {{"degrees", 30.0}}, samples(4000));
  const auto angle = at::atan2(maps.select(1, 1).select(1, 0), maps.select(1, 0).select(1, 0)) *
                     (180 / std::numbers::pi);
  CHECK(angle.abs().max().item<double>() <= 30.0001);
  CHECK(angle.max().item<double>() > 29.5);
  CHECK(angle.min().item<double>() < -29.5);
  CHECK(std::abs(angle.mean().item<double>()) < 1.1);  // four standard deviations
  CHECK(angle.std().item<double>() == Approx(60 / std::sqrt(12.0)).epsilon(0.04));
}

TEST_CASE("zoom is the same in both directions and stays within its factors") {
  const auto maps = inverse_of("zoom", {{"min", 0.5}, {"max", 2.0}}, samples(4000));
  CHECK(at::equal(maps.select(1, 0).select(1, 0), maps.select(1, 1).select(1, 1)));
  const auto factor = maps.select(1, 0).select(1, 0).reciprocal();
  CHECK(factor.min().item<double>() >= 0.4999);
  CHECK(factor.max().item<double>() <= 2.0001);
  CHECK(std::abs(factor.mean().item<double>() - 1.25) < 0.03);
}

TEST_CASE("translate shifts by shares of each side") {
  const auto maps = inverse_of("translate", {{"x", 0.1}, {"y", 0.5}}, samples(4000));
  CHECK(maps.select(1, 0).select(1, 2).abs().max().item<double>() <= 6.0001);  // 0.1 of 60
  CHECK(maps.select(1, 0).select(1, 2).max().item<double>() > 5.9);
  CHECK(maps.select(1, 1).select(1, 2).abs().max().item<double>() <= 20.0001);  // 0.5 of 40
  CHECK(maps.select(1, 1).select(1, 2).min().item<double>() < -19.7);
  CHECK(entry(maps, 0, 0, 0) == 1.0);
}

TEST_CASE("shear moves rows and columns by angles spread over their ranges") {
  const auto maps = inverse_of("shear", {{"x", 40.0}, {"y", 0.0}}, samples(4000));
  const auto angle = maps.select(1, 0).select(1, 1).atan() * (180 / std::numbers::pi);
  CHECK(angle.abs().max().item<double>() <= 40.0001);
  CHECK(angle.max().item<double>() > 39.5);
  CHECK(angle.min().item<double>() < -39.5);
  CHECK(at::equal(maps.select(1, 1), identity(4000).select(1, 1)));
  // Both at once keep the area, and so never collapse the picture.
  const auto both = inverse_of("shear", {{"x", 60.0}, {"y", 60.0}}, samples(4000));
  CHECK(at::allclose(at::linalg_det(both.narrow(2, 0, 2)), at::ones({4000}), 0.0, 1e-5));
}

TEST_CASE("quarter_turns takes each of the square's symmetries equally often, exactly") {
  const auto maps = inverse_of("quarter_turns", {{"mirror", true}}, samples(8000));
  CHECK(maps.select(2, 2).abs().max().item<double>() == 0.0);
  const auto linear = maps.narrow(2, 0, 2);
  CHECK(at::equal(linear.abs().sum(1), at::ones({8000, 2})));
  CHECK(at::equal(linear.abs().amax(1), at::ones({8000, 2})));
  const auto code = (linear.flatten(1) + 1).matmul(at::tensor({1.0F, 3.0F, 9.0F, 27.0F}));
  const auto [kinds, inverse, counts] = at::_unique2(code, true, false, true);
  REQUIRE(kinds.size(0) == 8);
  CHECK(counts.min().item<std::int64_t>() > 870);  // four standard deviations of 1000
  CHECK(counts.max().item<std::int64_t>() < 1130);
  const auto turns = inverse_of("quarter_turns", {{"mirror", false}}, samples(4000));
  CHECK(at::equal(at::linalg_det(turns.narrow(2, 0, 2)), at::ones({4000})));
}

TEST_CASE("crop shows windows of its size anywhere within the picture") {
  const auto maps = inverse_of("crop", {{"share", 0.6}}, samples(4000));
  CHECK(at::equal(maps.select(1, 0).select(1, 0), at::full({4000}, 0.6F)));
  CHECK(at::equal(maps.select(1, 1).select(1, 1), at::full({4000}, 0.6F)));
  const auto x = maps.select(1, 0).select(1, 2), y = maps.select(1, 1).select(1, 2);
  CHECK(x.abs().max().item<double>() <= 12.0001);  // 0.2 of 60 on either side
  CHECK(x.max().item<double>() > 11.9);
  CHECK(y.abs().max().item<double>() <= 8.0001);
  CHECK(y.min().item<double>() < -7.9);
}

TEST_CASE("resized_crop has torchvision's areas and ratios, and windows that fit") {
  // A picture of 60 x 40. With small windows every first try fits, and areas and ratios come out as
  // they are drawn.
  const auto maps = inverse_of("resized_crop", crop_of(0.05, 0.25), samples(8000)).to(at::kDouble);
  const auto width = maps.select(1, 0).select(1, 0), height = maps.select(1, 1).select(1, 1);
  const auto area = width * height, ratio = (width * 60 / (height * 40)).log();
  CHECK(area.min().item<double>() >= 0.05 - 1e-6);
  CHECK(area.max().item<double>() <= 0.25 + 1e-6);
  CHECK(area.mean().item<double>() == Approx(0.15).epsilon(0.02));
  CHECK(ratio.abs().max().item<double>() <= std::log(4.0 / 3) + 1e-6);
  CHECK(std::abs(ratio.mean().item<double>()) < 0.01);
  CHECK(ratio.std().item<double>() ==
        Approx(2 * std::log(4.0 / 3) / std::sqrt(12.0)).epsilon(0.03));
  const auto room_x = (1 - width) * 30, room_y = (1 - height) * 20;
  CHECK((maps.select(1, 0).select(1, 2).abs() <= room_x + 1e-4).all().item<bool>());
  CHECK((maps.select(1, 1).select(1, 2).abs() <= room_y + 1e-4).all().item<bool>());
  CHECK((maps.select(1, 0).select(1, 2) / room_x).std().item<double>() ==
        Approx(1 / std::sqrt(3.0)).epsilon(0.03));

  // Nothing of this ratio fits: the largest window in the middle, 60 wide and 60 / 6 high.
  const auto none = inverse_of("resized_crop", crop_of(1.0, 1.0, 6.0, 8.0), samples(50));
  const auto expected = at::tensor({1.0F, 0.0F, 0.0F, 0.0F, 0.25F, 0.0F}).view({2, 3});
  CHECK(at::allclose(none, expected.expand({50, 2, 3})));
}
