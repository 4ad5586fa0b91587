// Resizing against a float64 reference, and the hashes' properties.
#include "data/resize.h"

#include <bit>
#include <cmath>

#include "base/error.h"
#include "base/philox.h"
#include "data/crc32.h"
#include "tests/catch.h"

using namespace bcx;
using namespace bcx::data;

namespace {

Image noise(std::int64_t height, std::int64_t width, std::uint64_t seed) {
  Image image(height, width);
  const Stream stream(seed, "test-noise");
  for (std::size_t i = 0; i < image.rgb.size(); ++i)
    image.rgb[i] = static_cast<std::uint8_t>(stream.below(i, 256));
  return image;
}

// Soft blobs, so that the hash has something to see.
Image blobs(std::int64_t height, std::int64_t width, double phase) {
  Image image(height, width);
  for (std::int64_t y = 0; y < height; ++y)
    for (std::int64_t x = 0; x < width; ++x)
      for (int c = 0; c < 3; ++c) {
        const double u = static_cast<double>(x) / static_cast<double>(width);
        const double v = static_cast<double>(y) / static_cast<double>(height);
        const double value = 128 + 60 * std::sin(9 * u + phase) * std::cos(7 * v + 2 * phase) +
                             40 * std::sin(13 * v - 5 * u * phase);
        image.rgb[static_cast<std::size_t>((y * width + x) * 3 + c)] =
            static_cast<std::uint8_t>(std::lround(std::min(255.0, std::max(0.0, value))));
      }
  return image;
}

// What each target pixel covers, averaged in float64.
double covered(const Image& image, std::int64_t size, std::int64_t y, std::int64_t x, int c) {
  const double fy = static_cast<double>(image.height) / static_cast<double>(size);
  const double fx = static_cast<double>(image.width) / static_cast<double>(size);
  double sum = 0, weight = 0;
  const auto part = [](double begin, double end, std::int64_t i) {
    return std::min(end, static_cast<double>(i + 1)) - std::max(begin, static_cast<double>(i));
  };
  for (auto r = static_cast<std::int64_t>(fy * static_cast<double>(y)); r < image.height; ++r) {
    const double wy = part(fy * static_cast<double>(y), fy * static_cast<double>(y + 1), r);
    if (wy <= 0) break;
    for (auto q = static_cast<std::int64_t>(fx * static_cast<double>(x)); q < image.width; ++q) {
      const double wx = part(fx * static_cast<double>(x), fx * static_cast<double>(x + 1), q);
      if (wx <= 0) break;
      sum += wy * wx * image.rgb[static_cast<std::size_t>((r * image.width + q) * 3 + c)];
      weight += wy * wx;
    }
  }
  return sum / weight;
}

int differing_bits(std::uint64_t a, std::uint64_t b) {
  return std::popcount(a ^ b);
}

}  // namespace

TEST_CASE("area averages what a target pixel covers") {
  for (const auto& [height, width] : {std::pair{46, 70}, {90, 45}, {33, 100}, {64, 64}}) {
    const Image image = noise(height, width, 1);
    const Image small = resize_square(image.view(), 32, ResizeRule::stretch, Interpolation::area);
    double worst = 0;
    for (std::int64_t y = 0; y < 32; ++y)
      for (std::int64_t x = 0; x < 32; ++x)
        for (int c = 0; c < 3; ++c)
          worst =
              std::max(worst, std::abs(covered(image, 32, y, x, c) -
                                       small.rgb[static_cast<std::size_t>((y * 32 + x) * 3 + c)]));
    CHECK(worst <= 0.51);  // rounding, in float32 inside OpenCV
  }
}

TEST_CASE("nearest takes pixels, linear and cubic keep a constant picture") {
  const Image image = noise(40, 60, 2);
  const Image nearest =
      resize_square(image.view(), 20, ResizeRule::stretch, Interpolation::nearest);
  for (std::int64_t y = 0; y < 20; ++y)
    for (std::int64_t x = 0; x < 20; ++x)
      for (std::int64_t c = 0; c < 3; ++c)
        REQUIRE(nearest.rgb[static_cast<std::size_t>((y * 20 + x) * 3 + c)] ==
                image.rgb[static_cast<std::size_t>((y * 2 * 60 + x * 3) * 3 + c)]);
  for (const auto how : {Interpolation::linear, Interpolation::cubic, Interpolation::area}) {
    const Image flat(17, 31, 77);
    CHECK(resize_square(flat.view(), 40, ResizeRule::stretch, how).rgb == Image(40, 40, 77).rgb);
  }
}

TEST_CASE("a picture of the right size is copied") {
  const Image image = noise(24, 24, 3);
  for (const auto rule : {ResizeRule::stretch, ResizeRule::fit, ResizeRule::crop})
    CHECK(resize_square(image.view(), 24, rule, Interpolation::cubic).rgb == image.rgb);
}

TEST_CASE("fit fills with white above and below, or left and right") {
  const Image wide =
      resize_square(Image(10, 40, 50).view(), 20, ResizeRule::fit, Interpolation::area);
  const Image high =
      resize_square(Image(40, 10, 50).view(), 20, ResizeRule::fit, Interpolation::area);
  for (std::int64_t y = 0; y < 20; ++y)
    for (std::int64_t x = 0; x < 20; ++x) {
      const bool inside = y >= 7 && y < 12;
      REQUIRE(int{wide.rgb[static_cast<std::size_t>((y * 20 + x) * 3)]} == (inside ? 50 : 255));
      REQUIRE(int{high.rgb[static_cast<std::size_t>((x * 20 + y) * 3)]} == (inside ? 50 : 255));
    }
}

TEST_CASE("crop keeps the centre; thin strips take no room on the way") {
  Image image(8, 24, 0);
  for (std::int64_t y = 0; y < 8; ++y)
    for (std::int64_t x = 8; x < 16; ++x)
      image.rgb[static_cast<std::size_t>((y * 24 + x) * 3)] = 200;
  const Image centre = resize_square(image.view(), 16, ResizeRule::crop, Interpolation::nearest);
  for (std::size_t i = 0; i < centre.rgb.size(); i += 3) REQUIRE(centre.rgb[i] == 200);
  const Image strip =
      resize_square(Image(8, 20000, 9).view(), 64, ResizeRule::fit, Interpolation::area);
  CHECK(strip.rgb[31 * 64 * 3] == 9);
}

TEST_CASE("words of the experiment file") {
  CHECK(resize_rule("fit") == ResizeRule::fit);
  CHECK(interpolation("nearest") == Interpolation::nearest);
  CHECK_THROWS_WITH(resize_rule("squash"), "no such resize rule: squash");
  CHECK_THROWS_WITH(interpolation("lanczos"), "no such interpolation: lanczos");
}

TEST_CASE("pixel_hash sees a single bit and the size") {
  const Image image = noise(16, 32, 4);
  Image other = image;
  CHECK(pixel_hash(image.view()) == pixel_hash(other.view()));
  for (const std::size_t i : {std::size_t{0}, std::size_t{777}, other.rgb.size() - 1}) {
    other.rgb[i] ^= 1;
    CHECK(pixel_hash(image.view()) != pixel_hash(other.view()));
    other.rgb[i] ^= 1;
  }
  CHECK(pixel_hash({image.rgb.data(), 32, 16}) != pixel_hash(image.view()));
  CHECK(pixel_hash(Image(3, 5, 0).view()) != pixel_hash(Image(5, 3, 0).view()));
}

TEST_CASE("perceptual_hash: alike is near, unlike is far, flat is zero") {
  const Image a = blobs(230, 350, 0.3), b = blobs(460, 700, 0.3), c = blobs(230, 350, 1.7);
  CHECK(differing_bits(perceptual_hash(a.view()), perceptual_hash(b.view())) <= 4);
  CHECK(differing_bits(perceptual_hash(a.view()), perceptual_hash(c.view())) >= 16);
  Image brighter = a;
  for (auto& v : brighter.rgb) v = static_cast<std::uint8_t>(std::min(255, v * 9 / 10 + 12));
  CHECK(differing_bits(perceptual_hash(a.view()), perceptual_hash(brighter.view())) <= 4);
  CHECK(perceptual_hash(Image(20, 30, 0).view()) == 0);
  CHECK(perceptual_hash(Image(100, 70, 211).view()) == 0);
  CHECK(std::popcount(perceptual_hash(c.view())) == 32);
  CHECK(perceptual_hash(blobs(9, 11, 0.3).view()) != 0);  // smaller than the grid
}

TEST_CASE("crc32 gives the check value of its definition") {
  const std::string check = "123456789";
  CHECK(crc32(std::as_bytes(std::span(check))) == 0xCBF43926u);
  CHECK(crc32({}) == 0u);
}
