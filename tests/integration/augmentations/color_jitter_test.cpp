// color_jitter against torchvision's definitions, pixel by pixel in float64.
#include <ATen/Parallel.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "augmentation_fixture.h"

namespace {

using bcx::test::draws;
using bcx::test::pictures;
using bcx::test::samples;
using bcx::test::Values;
using Pixel = std::array<double, 3>;

const Values off{{"brightness", 0.0}, {"contrast", 0.0}, {"saturation", 0.0}, {"hue", 0.0}};
const Values all{{"brightness", 0.4}, {"contrast", 0.4}, {"saturation", 0.4}, {"hue", 0.3}};

at::Tensor apply(Values values, const at::Tensor& images, const std::vector<std::uint64_t>& ids) {
  const auto jitter = bcx::test::augmentation("color_jitter", std::move(values));
  CHECK(jitter->capabilities() == bcx::sdk::Augmentation::applies);
  auto numbers = draws(ids);
  return jitter->apply(images, numbers);
}

Values only(const std::string& name, double value) {
  auto values = off;
  values.at(name) = value;
  return values;
}

double blend(double a, double b, double f) {
  return std::clamp(f * a + (1 - f) * b, 0.0, 1.0);
}
double grey(const Pixel& p) {
  return 0.2989 * p[0] + 0.587 * p[1] + 0.114 * p[2];
}

/// torchvision's _rgb2hsv, the shift, and _hsv2rgb.
Pixel shift_hue(const Pixel& p, double turns) {
  const double largest = std::max({p[0], p[1], p[2]}), smallest = std::min({p[0], p[1], p[2]});
  const double chroma = largest - smallest, divisor = chroma == 0 ? 1 : chroma;
  const double s = chroma == 0 ? 0 : chroma / largest;
  const double rc = (largest - p[0]) / divisor, gc = (largest - p[1]) / divisor,
               bc = (largest - p[2]) / divisor;
  double h = 0;
  if (largest == p[0])
    h = bc - gc;
  else if (largest == p[1])
    h = 2 + rc - bc;
  else
    h = 4 + gc - rc;
  h = std::fmod(h / 6 + 1, 1.0) + turns;
  h -= std::floor(h);
  const double i = std::floor(h * 6), f = h * 6 - i, v = largest;
  const double q0 = v * (1 - s), q1 = v * (1 - s * f), q2 = v * (1 - s * (1 - f));
  switch (static_cast<int>(i) % 6) {
    case 0:
      return {v, q2, q0};
    case 1:
      return {q1, v, q0};
    case 2:
      return {q0, v, q2};
    case 3:
      return {q0, q1, v};
    case 4:
      return {q2, q0, v};
    default:
      return {v, q0, q1};
  }
}

/// Applies `change(pixel, factor, mean grey)` to every pixel, the factor being draw `index` on
/// [low, high).
template <typename Change>
at::Tensor reference(const at::Tensor& images, std::int64_t index, double low, double high,
                     Change change) {
  auto result = images.clone();
  auto numbers = draws(samples(static_cast<std::size_t>(images.size(0))));
  const auto u = numbers.uniform(4);
  auto data = result.accessor<double, 4>();
  for (std::int64_t n = 0; n < images.size(0); ++n) {
    const double factor = low + (high - low) * u[n][index].item<double>();
    double mean = 0;
    const auto pixel = [&](std::int64_t y, std::int64_t x) {
      return Pixel{data[n][0][y][x], data[n][1][y][x], data[n][2][y][x]};
    };
    for (std::int64_t y = 0; y < 5; ++y)
      for (std::int64_t x = 0; x < 7; ++x) mean += grey(pixel(y, x)) / 35;
    for (std::int64_t y = 0; y < 5; ++y)
      for (std::int64_t x = 0; x < 7; ++x) {
        const Pixel changed = change(pixel(y, x), factor, mean);
        for (std::size_t c = 0; c < 3; ++c)
          data[n][static_cast<std::int64_t>(c)][y][x] = changed[c];
      }
  }
  return result;
}

double worst(const at::Tensor& x, const at::Tensor& y) {
  return (x.to(at::kDouble) - y).abs().max().item<double>();
}

template <typename Change>
void meet(const std::string& name, double range, std::int64_t index, double low, double high,
          Change change) {
  INFO(name);
  const auto images = pictures(8, at::kDouble);
  const auto expected = reference(images, index, low, high, change);
  CHECK(worst(images, expected) > 0.05);
  CHECK(worst(apply(only(name, range), images, samples(8)), expected) < 1e-6);
  CHECK(worst(apply(only(name, range), images.to(at::kFloat), samples(8)), expected) < 2e-6);
}

}  // namespace

TEST_CASE("each change is torchvision's") {
  meet("brightness", 0.5, 0, 0.5, 1.5, [](const Pixel& p, double f, double) {
    return Pixel{blend(p[0], 0, f), blend(p[1], 0, f), blend(p[2], 0, f)};
  });
  meet("contrast", 1.5, 1, 0.0, 2.5, [](const Pixel& p, double f, double mean) {
    return Pixel{blend(p[0], mean, f), blend(p[1], mean, f), blend(p[2], mean, f)};
  });
  meet("saturation", 0.8, 2, 0.2, 1.8, [](const Pixel& p, double f, double) {
    const double g = grey(p);
    return Pixel{blend(p[0], g, f), blend(p[1], g, f), blend(p[2], g, f)};
  });
  meet("hue", 0.5, 3, -0.5, 0.5, [](const Pixel& p, double f, double) { return shift_hue(p, f); });
}

TEST_CASE("all changes together stay in range, leave the input alone and keep its layout") {
  const auto images = pictures(16).contiguous(at::MemoryFormat::ChannelsLast),
             before = images.clone();
  const auto result = apply(all, images, samples(16));
  CHECK(at::equal(images, before));
  CHECK(result.sizes() == images.sizes());
  CHECK(result.scalar_type() == at::kFloat);
  CHECK(result.is_contiguous(at::MemoryFormat::ChannelsLast));
  CHECK(result.min().item<double>() >= 0.0);
  CHECK(result.max().item<double>() <= 1.0);
  CHECK(at::equal(result, apply(all, images, samples(16))));
}

TEST_CASE("changes are made in the order brightness, contrast, saturation, hue") {
  auto expected = pictures(8);
  for (const char* name : {"brightness", "contrast", "saturation", "hue"})
    expected = apply(only(name, std::get<double>(all.at(name))), expected, samples(8));
  CHECK(at::equal(apply(all, pictures(8), samples(8)), expected));
}

TEST_CASE("a picture's colours do not depend on its batch, to the bit") {
  const auto images = pictures(16);
  const auto together = apply(all, images, samples(16));
  for (std::int64_t n = 0; n < 16; ++n)
    CHECK(at::equal(together.slice(0, n, n + 1),
                    apply(all, images.slice(0, n, n + 1), {100 + static_cast<std::uint64_t>(n)})));
}

TEST_CASE("the number of threads does not change a bit of the colours") {
  const auto images =
      (at::arange(4 * 3 * 131 * 127, at::kFloat).sin() / 2 + 0.5).view({4, 3, 131, 127});
  const int usual = at::get_num_threads();
  at::set_num_threads(1);
  const auto expected = apply(all, images, samples(4));
  for (const int threads : {2, 3}) {
    at::set_num_threads(threads);
    CHECK(at::equal(apply(all, images, samples(4)), expected));
  }
  at::set_num_threads(usual);
}

TEST_CASE("nothing to do returns the input itself") {
  const auto images = pictures(2);
  CHECK(apply(off, images, samples(2)).is_same(images));
}
