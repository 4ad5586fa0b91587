// The 14 operations of rand_augment and trivial_augment, each alone, against torchvision: geometric
// ones through the host's warp to 1e-2, the others exactly, in every bin and of either sign.
#include "../../../plugins/augmentations/rand_augment/operations.h"
#include "augmentation_fixture.h"
#include "references.h"
#include "train/pixels.h"

namespace {

using namespace auto_augment;
using bcx::sdk::Affine;
using bcx::test::reference;

const std::vector<std::pair<std::string, Ranges>> spaces{{"rand", rand_augment_ranges},
                                                         {"trivial", trivial_augment_ranges}};
const std::vector<std::string> names{
    "Identity", "ShearX",   "ShearY",    "TranslateX", "TranslateY", "Rotate",       "Brightness",
    "Color",    "Contrast", "Sharpness", "Posterize",  "Solarize",   "AutoContrast", "Equalize"};

Step step_of(std::int64_t operation, double magnitude, std::int64_t n) {
  return {at::full({n}, operation, at::kLong), at::full({n}, magnitude, at::kDouble)};
}

std::int64_t checksum(const at::Tensor& picture) {
  const auto values = picture.contiguous().flatten().to(at::kLong) + 1;
  const auto weights = (at::arange(values.size(0), at::kLong) * 7919).remainder(65521) + 1;
  return (values * weights).sum().item<std::int64_t>();
}

/// The first picture of the references through the host's warp: [3, 24, 24], in [0, 1].
at::Tensor warped(const at::Tensor& inverse) {
  const auto pixels = reference("pictures")[0].permute({1, 2, 0}).contiguous();
  const bcx::data::PixelView view{pixels.const_data_ptr<std::uint8_t>(), 1, 24, 24};
  const std::int64_t first[] = {0};
  return bcx::train::ResidentImages(view, at::kCPU).gather(first, inverse, 24, {})[0];
}

/// `expected` [4, 24, 24] uint8: the picture and where it may be compared.
void check_warp(const at::Tensor& inverse, const at::Tensor& expected) {
  const auto inside = expected[3] > 0;
  CHECK(inside.sum().item<int>() > 20);
  const auto difference = (warped(inverse) - expected.narrow(0, 0, 3).to(at::kFloat) / 255).abs();
  CHECK(at::where(inside, difference, 0).max().item<double>() < 1e-2);
}

}  // namespace

TEST_CASE("magnitudes are torchvision's, bin by bin") {
  for (const auto& [space, ranges] : spaces) {
    INFO(space);
    const auto expected = reference(space + ".magnitudes"), actual = magnitudes(ranges, 24, 24);
    REQUIRE(actual.sizes() == expected.sizes());
    CHECK(at::equal(actual, expected));
  }
}

TEST_CASE("geometric operations are torchvision's to 1e-2") {
  for (const auto& [space, ranges] : spaces)
    for (std::int64_t operation = shear_x; operation <= rotate; ++operation)
      for (const auto& [bin, sign] : {std::pair{9, 1}, {20, -1}}) {
        const auto name = space + "." + names[static_cast<std::size_t>(operation)] + "." +
                          std::to_string(bin) + "." + std::to_string(sign);
        INFO(name);
        const double magnitude = magnitudes(ranges, 24, 24)[operation][bin].item<double>() * sign;
        Affine affine(1, 24, 24, at::kCPU);
        compose(step_of(operation, magnitude, 1), affine);
        check_warp(affine.inverse(), reference(name));
      }
}

TEST_CASE("shear is torchvision's affine shear") {
  Affine affine(1, 24, 24, at::kCPU);
  affine.shear(at::full({1}, 10.0F), at::full({1}, -5.0F));
  check_warp(affine.inverse(), reference("affine.shear"));
}

TEST_CASE("photometric operations are torchvision's, exactly") {
  const auto levels = reference("pictures").to(at::kFloat);
  for (const auto& [space, ranges] : spaces) {
    const auto table = magnitudes(ranges, 24, 24);
    for (std::int64_t operation : {identity, brightness, color, contrast, sharpness, posterize,
                                   solarize, auto_contrast, equalize}) {
      const auto& name = names[static_cast<std::size_t>(operation)];
      INFO(space << "." << name);
      const auto sums = reference(space + "." + name + ".sums");
      for (std::int64_t bin = 0; bin < bins; ++bin)
        for (std::int64_t s = 0; s < 2; ++s) {
          if (s == 1 && operation > sharpness) continue;
          const double sign = s == 0 ? 1 : -1;
          if (s == 1 && operation == identity) continue;
          const auto result =
              apply(step_of(operation, sign * table[operation][bin].item<double>(), 2), levels);
          if (bin == 20 && s == 0)
            CHECK(at::equal(result, reference(space + "." + name + ".20.1").to(at::kFloat)));
          for (std::int64_t p = 0; p < 2; ++p) {
            INFO("bin " << bin << " sign " << sign << " picture " << p);
            CHECK(checksum(result[p]) == sums[bin][s][p].item<std::int64_t>());
          }
        }
    }
  }
}

TEST_CASE("each sample of a batch has its own operation") {
  const auto levels = reference("pictures").to(at::kFloat).repeat({operation_count, 1, 1, 1});
  auto operations = at::arange(operation_count, at::kLong).repeat_interleave(2);
  const auto table = magnitudes(rand_augment_ranges, 24, 24).select(1, 12);
  const Step step{operations, table.repeat_interleave(2)};
  const auto together = apply(step, levels);
  for (std::int64_t i = 0; i < levels.size(0); ++i)
    CHECK(at::equal(together[i], apply({operations.narrow(0, i, 1), step.magnitude.narrow(0, i, 1)},
                                       levels.narrow(0, i, 1))[0]));
}

TEST_CASE("policies draw every operation, and compose and apply draw the same") {
  using bcx::test::Values;
  const std::vector<std::pair<std::string, Values>> policies{
      {"rand_augment", {{"num_ops", std::int64_t{1}}, {"magnitude", std::int64_t{20}}}},
      {"trivial_augment", {}}};
  const std::int64_t n = 1400;
  const auto picture = reference("pictures")[0].to(at::kFloat) / 255;
  for (const auto& [name, values] : policies) {
    INFO(name);
    const auto policy = bcx::test::augmentation(name, values, "rand_augment");
    const auto ids = bcx::test::samples(static_cast<std::size_t>(n));
    Affine affine(n, 24, 24, at::kCPU);
    auto first = bcx::test::draws(ids), second = bcx::test::draws(ids);
    policy->compose(first, affine);
    const auto images = policy->apply(picture.expand({n, 3, 24, 24}), second);
    const auto moved =
        (affine.inverse() - Affine(1, 24, 24, at::kCPU).inverse()).abs().amax({1, 2}) > 1e-6;
    const auto changed = (images - picture).abs().amax({1, 2, 3}) > 1e-6;
    CHECK_FALSE(at::logical_and(moved, changed).any().item<bool>());
    // 5 of 14 operations are geometric, 8 photometric; a few bins change nothing.
    CHECK(moved.to(at::kDouble).mean().item<double>() == Approx(5.0 / 14).margin(0.06));
    CHECK(changed.to(at::kDouble).mean().item<double>() == Approx(8.0 / 14).margin(0.08));
  }
}
