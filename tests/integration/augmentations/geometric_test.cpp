// flip, rotate, zoom and translate: what they do to the affine maps.
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
  const auto made = augmentation(name, values);
  CHECK(made->capabilities() == bcx::sdk::Augmentation::composes);
  auto numbers = draws(ids);
  made->compose(numbers, affine);
  return affine.inverse();
}

double entry(const at::Tensor& maps, std::int64_t n, int row, int column) {
  return maps[n][row][column].item<double>();
}

const std::vector<std::pair<std::string, Values>> geometric{
    {"flip", {{"horizontal", 0.5}, {"vertical", 0.3}}},
    {"rotate", {{"degrees", 90.0}}},
    {"zoom", {{"min", 0.8}, {"max", 1.25}}},
    {"translate", {{"x", 0.1}, {"y", 0.3}}},
};

}  // namespace

TEST_CASE("the same draws give the same map, and a sample's map does not depend on its batch") {
  for (const auto& [name, values] : geometric) {
    INFO(name);
    const auto all = inverse_of(name, values, samples(16));
    CHECK(all.sizes() == at::IntArrayRef({16, 2, 3}));
    CHECK(at::equal(all, inverse_of(name, values, samples(16))));
    CHECK(at::equal(all.slice(0, 7, 8), inverse_of(name, values, {107})));
    CHECK(!at::equal(all.slice(0, 7, 8), all.slice(0, 8, 9)));
  }
}

TEST_CASE("nothing to do is the identity") {
  CHECK(at::equal(inverse_of("flip", {{"horizontal", 0.0}, {"vertical", 0.0}}, samples(4)),
                  identity(4)));
  CHECK(at::equal(inverse_of("rotate", {{"degrees", 0.0}}, samples(4)), identity(4)));
  CHECK(at::equal(inverse_of("zoom", {{"min", 1.0}, {"max", 1.0}}, samples(4)), identity(4)));
  CHECK(at::equal(inverse_of("translate", {{"x", 0.0}, {"y", 0.0}}, samples(4)), identity(4)));
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

TEST_CASE("zoom refuses bounds in the wrong order") {
  try {
    augmentation("zoom", {{"min", 1.5}, {"max", 1.25}});
    FAIL("accepted");
  } catch (const std::invalid_argument& error) {
    CHECK(std::string(error.what()) == "min = 1.5 is larger than max = 1.25");
  }
}

TEST_CASE("translate shifts by shares of each side") {
  const auto maps = inverse_of("translate", {{"x", 0.1}, {"y", 0.5}}, samples(4000));
  CHECK(maps.select(1, 0).select(1, 2).abs().max().item<double>() <= 6.0001);  // 0.1 of 60
  CHECK(maps.select(1, 0).select(1, 2).max().item<double>() > 5.9);
  CHECK(maps.select(1, 1).select(1, 2).abs().max().item<double>() <= 20.0001);  // 0.5 of 40
  CHECK(maps.select(1, 1).select(1, 2).min().item<double>() < -19.7);
  CHECK(entry(maps, 0, 0, 0) == 1.0);
}
