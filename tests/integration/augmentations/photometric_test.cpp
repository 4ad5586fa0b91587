// grayscale, gaussian_blur, noise, erasing: against torchvision or their definitions.
#include <cmath>

#include "augmentation_fixture.h"
#include "references.h"

namespace {

using bcx::test::draws;
using bcx::test::reference;
using bcx::test::samples;
using bcx::test::Values;

at::Tensor apply(const std::string& name, const Values& values, const at::Tensor& images) {
  auto numbers = draws(samples(static_cast<std::size_t>(images.size(0))));
  return bcx::test::augmentation(name, values)->apply(images, numbers);
}

at::Tensor blurred(double probability, double sigma, const at::Tensor& images) {
  return apply("gaussian_blur",
               {{"probability", probability},
                {"radius", std::int64_t{3}},
                {"min_sigma", sigma},
                {"max_sigma", sigma}},
               images);
}

Values erase(const std::string& fill, double probability = 1.0) {
  return {{"probability", probability}, {"min_area", 0.02}, {"max_area", 0.33},
          {"min_ratio", 0.3},           {"max_ratio", 3.3}, {"fill", fill}};
}

}  // namespace

TEST_CASE("grayscale takes torchvision's grey, as often as it should") {
  const auto images = bcx::test::pictures(1000);
  const auto grey =
      images.select(1, 0) * 0.2989 + images.select(1, 1) * 0.587 + images.select(1, 2) * 0.114;
  const auto all = apply("grayscale", {{"probability", 1.0}}, images);
  CHECK(at::allclose(all, grey.unsqueeze(1).expand_as(images), 0.0, 1e-6));
  CHECK(at::equal(apply("grayscale", {{"probability", 0.0}}, images), images));
  const auto some = apply("grayscale", {{"probability", 0.2}}, images);
  const auto changed = (some != images).flatten(1).any(1);
  CHECK(changed.to(at::kDouble).mean().item<double>() == Approx(0.2).margin(0.05));
  CHECK(at::equal(some.masked_select(changed.view({-1, 1, 1, 1})),
                  all.masked_select(changed.view({-1, 1, 1, 1}))));
}

TEST_CASE("gaussian_blur is torchvision's") {
  const auto picture = (reference("pictures")[0].to(at::kFloat) / 255).unsqueeze(0);
  for (const std::string sigma : {"0.1", "0.9", "2.0"}) {
    INFO(sigma);
    CHECK(at::allclose(blurred(1.0, std::stod(sigma), picture)[0], reference("blur." + sigma), 0.0,
                       1e-5));
  }
  CHECK(at::equal(blurred(0.0, 2.0, picture), picture));
  // A kernel that reaches beyond a small picture is cut to what the mirror has.
  const auto tiny = bcx::test::pictures(2).narrow(2, 0, 2);
  const auto result = blurred(1.0, 1.0, tiny);
  CHECK(result.sizes() == tiny.sizes());
  CHECK_FALSE(result.isnan().any().item<bool>());
}

TEST_CASE("noise is normal, independent, and of each picture's own strength") {
  const auto images = at::full({64, 3, 48, 48}, 0.5F);
  const auto noise = apply("noise", {{"max_std", 0.1}}, images) - images;
  const auto stds = (noise * noise).flatten(1).mean(1).sqrt();  // the mean is 0
  CHECK(noise.flatten(1).mean(1).abs().max().item<double>() < 0.006);  // five standard deviations
  CHECK(stds.max().item<double>() < 0.103);
  CHECK(stds.max().item<double>() > 0.09);
  CHECK(stds.min().item<double>() < 0.01);
  const auto z = noise / stds.view({-1, 1, 1, 1});
  CHECK(z.pow(4).mean().item<double>() == Approx(3.0).epsilon(0.03));  // a normal one's kurtosis
  CHECK((z > 1.6448536).to(at::kDouble).mean().item<double>() == Approx(0.05).epsilon(0.03));
  const auto neighbours = (z.narrow(3, 1, 47) * z.narrow(3, 0, 47)).mean().item<double>();
  CHECK(std::abs(neighbours) < 0.008);
  const auto bright = apply("noise", {{"max_std", 1.0}}, at::ones({4, 3, 8, 8}));
  CHECK(bright.max().item<double>() <= 1.0);
  CHECK(bright.min().item<double>() >= 0.0);
}

TEST_CASE("erasing covers one rectangle of torchvision's areas and ratios") {
  const std::int64_t n = 2000, rows = 40, columns = 60;
  const auto images = at::ones({n, 3, rows, columns});
  const auto result = apply("erasing", erase("black"), images);
  const auto covered = result.select(1, 0) == 0.0;
  for (std::int64_t c = 1; c < 3; ++c) CHECK(at::equal(result.select(1, c) == 0.0, covered));
  const auto in_rows = covered.any(2), in_columns = covered.any(1);
  CHECK(at::equal(covered, in_rows.unsqueeze(2).logical_and(in_columns.unsqueeze(1))));
  const auto height = in_rows.sum(1).to(at::kDouble), width = in_columns.sum(1).to(at::kDouble);
  const auto top = in_rows.to(at::kInt).argmax(1), left = in_columns.to(at::kInt).argmax(1);
  CHECK((in_rows.to(at::kInt).cumsum(1).argmax(1) - top + 1 == height).all().item<bool>());
  CHECK((in_columns.to(at::kInt).cumsum(1).argmax(1) - left + 1 == width).all().item<bool>());
  const auto area = height * width / static_cast<double>(rows * columns), ratio = height / width;
  CHECK(area.min().item<double>() > 0.012);  // sides are rounded
  CHECK(area.max().item<double>() < 0.345);
  CHECK(area.mean().item<double>() == Approx(0.17).epsilon(0.06));
  CHECK(ratio.min().item<double>() > 0.25);
  CHECK(ratio.max().item<double>() < 4.0);
  CHECK(height.max().item<double>() < 40);
  CHECK(top.min().item<int>() == 0);
  CHECK((top + height).max().item<double>() == 40);
  CHECK((left + width).max().item<double>() == 60);
}

TEST_CASE("erasing fills with the mean or with noise, as often as it should") {
  const auto images = bcx::test::pictures(500);
  CHECK(at::equal(apply("erasing", erase("mean", 0.0), images), images));
  const auto result = apply("erasing", erase("mean"), images);
  const auto mean = images.mean({2, 3}, true).expand_as(images);
  const auto changed = result != images;
  CHECK(at::allclose(result.masked_select(changed), mean.masked_select(changed), 0.0, 1e-6));
  const auto noisy = apply("erasing", erase("noise"), at::full({50, 3, 30, 30}, 2.0F));
  const auto noise = noisy.masked_select(noisy != 2.0);
  CHECK(noise.min().item<double>() >= 0.0);
  CHECK(noise.max().item<double>() < 1.0);
  CHECK(noise.std().item<double>() == Approx(1 / std::sqrt(12.0)).epsilon(0.03));
  const auto some =
      (apply("erasing", erase("black", 0.3), at::ones({2000, 3, 20, 20})) == 0.0).flatten(1).any(1);
  CHECK(some.to(at::kDouble).mean().item<double>() == Approx(0.3).margin(0.05));
}
