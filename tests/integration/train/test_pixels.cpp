#include <torch/types.h>

#include "base/philox.h"
#include "bcx/sdk/augmentation.h"
#include "tests/catch.h"
#include "train/pixel_kernels.h"
#include "train/pixels.h"

using namespace bcx;
using namespace bcx::train;

namespace {

struct Pictures {
  std::vector<std::uint8_t> bytes;
  data::PixelView view;
  Pictures(std::int64_t count, std::int64_t height, std::int64_t width)
      : bytes(static_cast<std::size_t>(count * height * width * 3)) {
    const Stream stream(7, "pixels");
    for (std::size_t i = 0; i < bytes.size(); ++i)
      bytes[i] = static_cast<std::uint8_t>(stream.word(i));
    view = {bytes.data(), count, height, width};
  }
};

/// The definition, in float64: centred output position -> source position, clamped, bilinear.
double sampled(const data::PixelView& view, std::int64_t image, const double m[6],
               std::int64_t size, std::int64_t y, std::int64_t x, int channel) {
  const double px = x + 0.5 - size / 2.0, py = y + 0.5 - size / 2.0;
  const double zoom_x = double(view.width) / size, zoom_y = double(view.height) / size;
  double sx = (m[0] * px + m[1] * py + m[2]) * zoom_x + view.width / 2.0 - 0.5;
  double sy = (m[3] * px + m[4] * py + m[5]) * zoom_y + view.height / 2.0 - 0.5;
  sx = std::min(std::max(sx, 0.0), view.width - 1.0);
  sy = std::min(std::max(sy, 0.0), view.height - 1.0);
  const auto x0 = std::int64_t(sx), y0 = std::int64_t(sy);
  const auto x1 = std::min(x0 + 1, view.width - 1), y1 = std::min(y0 + 1, view.height - 1);
  const auto at = [&](std::int64_t yy, std::int64_t xx) {
    return double(view.image(image)[(yy * view.width + xx) * 3 + channel]);
  };
  const double wx = sx - double(x0), wy = sy - double(y0);
  return ((1 - wy) * ((1 - wx) * at(y0, x0) + wx * at(y0, x1)) +
          wy * ((1 - wx) * at(y1, x0) + wx * at(y1, x1))) /
         255.0;
}

void check_against_definition(const Pictures& pictures, const at::Tensor& inverse,
                              std::int64_t size) {
  const std::vector<std::int64_t> indexes{2, 0, 1};
  const auto out = ResidentImages(pictures.view, at::kCPU).gather(indexes, inverse, size, {});
  REQUIRE(out.sizes() == at::IntArrayRef({3, 3, size, size}));
  REQUIRE(out.is_contiguous(at::MemoryFormat::ChannelsLast));
  const auto matrices = inverse.to(at::kDouble).contiguous();
  double worst = 0;
  for (std::int64_t n = 0; n < 3; ++n)
    for (std::int64_t y = 0; y < size; ++y)
      for (std::int64_t x = 0; x < size; ++x)
        for (int c = 0; c < 3; ++c)
          worst = std::max(worst,
                           std::abs(out[n][c][y][x].item<double>() -
                                    sampled(pictures.view, indexes[std::size_t(n)],
                                            matrices[n].const_data_ptr<double>(), size, y, x, c)));
  // Positions are float32: 1e-5 of a pixel, times a contrast of 1 in both directions.
  CHECK(worst < 5e-5);
}

at::Tensor per_sample(std::initializer_list<double> values) {
  return at::tensor(std::vector<double>(values)).to(at::kFloat);
}

}  // namespace

TEST_CASE("without a map the pixels come out exactly") {
  const Pictures pictures(3, 9, 9);
  const std::vector<std::int64_t> indexes{1};
  const auto out = ResidentImages(pictures.view, at::kCPU).gather(indexes, {}, 9, {});
  for (std::int64_t i = 0; i < 81; ++i)
    for (int c = 0; c < 3; ++c)
      REQUIRE(out[0][c][i / 9][i % 9].item<float>() ==
              pictures.view.image(1)[3 * i + c] * (1.0f / 255.0f));
}

TEST_CASE("a warp is the bilinear definition in float64") {
  const Pictures pictures(3, 12, 12);
  sdk::Affine affine(3, 12, 12, at::kCPU);
  affine.rotate(per_sample({10, -33.3, 180}));
  affine.scale(per_sample({1.2, 0.8, 1}), per_sample({1.2, 0.7, 1}));
  affine.translate(per_sample({0.1, 0, -0.2}), per_sample({0, 0.15, 0}));
  affine.shear(per_sample({5, 0, 10}), per_sample({0, -8, 0}));
  check_against_definition(pictures, affine.inverse(), 12);
}

TEST_CASE("a source of another size is scaled by the same pass") {
  const Pictures pictures(3, 20, 14);
  sdk::Affine affine(3, 10, 10, at::kCPU);
  affine.rotate(per_sample({0, 15, 90}));
  check_against_definition(pictures, affine.inverse(), 10);
}

TEST_CASE("what the CUDA kernel does to a pixel is what the CPU does") {
  const bool warped = GENERATE(true, false);
  const std::int64_t size = warped ? 10 : 12;
  const Pictures pictures(3, 12, 12);
  const std::vector<std::int64_t> indexes{2, 0, 1};
  sdk::Affine affine(3, size, size, at::kCPU);
  affine.rotate(per_sample({10, -33.3, 180}));
  affine.translate(per_sample({0.1, 0, -0.2}), per_sample({0, 0.15, 0}));
  const auto inverse = warped ? affine.inverse().contiguous() : at::Tensor();
  const auto transform = ChannelTransform::normalise({0.4, 0.5, 0.6}, {0.2, 0.3, 0.25});
  const auto expected =
      ResidentImages(pictures.view, at::kCPU).gather(indexes, inverse, size, transform);
  const auto out = at::empty_like(expected);
  GatherWork work{.pixels = pictures.view.data,
                  .indexes = indexes.data(),
                  .inverse = warped ? inverse.const_data_ptr<float>() : nullptr,
                  .out = out.data_ptr<float>(),
                  .count = 3,
                  .height = 12,
                  .width = 12,
                  .size = size,
                  .to = {}};
  for (std::size_t c = 0; c < 3; ++c) {
    work.to.scale[c] = transform.scale[c] / 255.0f;
    work.to.shift[c] = transform.shift[c];
  }
  for (std::int64_t n = 0; n < 3; ++n)
    for (std::int64_t y = 0; y < size; ++y)
      for (std::int64_t x = 0; x < size; ++x) gather_pixel(work, n, y, x);
  CHECK(at::equal(out, expected));
}

TEST_CASE("words mean on the picture what they say") {
  // One bright pixel right of the centre, on black.
  std::vector<std::uint8_t> bytes(9 * 9 * 3, 0);
  const auto set = [&](int y, int x) { bytes[std::size_t((y * 9 + x) * 3)] = 255; };
  set(4, 7);
  const data::PixelView view{bytes.data(), 1, 9, 9};
  const std::vector<std::int64_t> first{0};
  const auto brightest = [&](const std::function<void(sdk::Affine&)>& change) {
    sdk::Affine affine(1, 9, 9, at::kCPU);
    change(affine);
    const auto out = ResidentImages(view, at::kCPU).gather(first, affine.inverse(), 9, {});
    const auto at = out[0][0].flatten().argmax().item<std::int64_t>();
    return std::pair(at / 9, at % 9);  // y, x
  };
  const auto yes = at::tensor({1}).to(at::kBool), no = at::tensor({0}).to(at::kBool);
  using P = std::pair<std::int64_t, std::int64_t>;
  CHECK(brightest([&](auto& a) { a.rotate(per_sample({90})); }) ==
        P{1, 4});  // counter-clockwise: up
  CHECK(brightest([&](auto& a) { a.flip(yes, no); }) == P{4, 1});
  CHECK(brightest([&](auto& a) { a.flip(no, yes); }) == P{4, 7});
  CHECK(brightest([&](auto& a) { a.translate(per_sample({-1.0 / 9}), per_sample({2.0 / 9})); }) ==
        P{6, 6});
  CHECK(brightest([&](auto& a) { a.scale(per_sample({1.0 / 3}), per_sample({1.0 / 3})); }) ==
        P{4, 5});
  // Composed in the order of the calls: first right becomes up, then the picture moves left.
  CHECK(brightest([&](auto& a) {
          a.rotate(per_sample({90}));
          a.translate(per_sample({-2.0 / 9}), per_sample({0}));
        }) == P{1, 2});
}

TEST_CASE("flips are exact and normalisation is the same arithmetic") {
  const Pictures pictures(2, 16, 16);
  const std::vector<std::int64_t> indexes{0, 1};
  const ResidentImages images(pictures.view, at::kCPU);
  sdk::Affine affine(2, 16, 16, at::kCPU);
  affine.flip(at::tensor({1, 0}).to(at::kBool), at::tensor({0, 1}).to(at::kBool));
  const auto plain = images.gather(indexes, {}, 16, {});
  const auto flipped = images.gather(indexes, affine.inverse(), 16, {});
  CHECK(at::equal(flipped[0], plain[0].flip({2})));
  CHECK(at::equal(flipped[1], plain[1].flip({1})));

  const std::array<double, 3> mean{0.485, 0.456, 0.406}, std{0.229, 0.224, 0.225};
  const auto normalised = images.gather(indexes, {}, 16, ChannelTransform::normalise(mean, std));
  const auto expected =
      (plain.to(at::kDouble) - at::tensor(at::ArrayRef<double>(mean)).view({1, 3, 1, 1})) /
      at::tensor(at::ArrayRef<double>(std)).view({1, 3, 1, 1});
  CHECK((normalised - expected).abs().max().item<double>() < 1e-6);
}
