// Real 700 x 460 histology pictures: decoding, resizing against float64, near duplicates.
#include <algorithm>
#include <bit>
#include <cmath>
#include <filesystem>

#include "base/hash.h"
#include "data/decode.h"
#include "data/images.h"
#include "data/pack.h"
#include "data/resize.h"
#include "tests/catch.h"

using namespace bcx;
using namespace bcx::data;
using namespace bcx::test;

namespace fs = std::filesystem;

namespace {

std::vector<fs::path> pictures(const char* folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(shared_dir() / folder))
    if (entry.path().extension() == ".png") files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

SampleTable table_of(const std::vector<fs::path>& files) {
  SampleTable table;
  table.classes = {"benign", "malignant"};
  for (const auto& path : files) {
    Sample sample;
    sample.relative = path.filename().string();
    sample.id = stable_hash(sample.relative);
    sample.path = path;
    sample.label = path.string().find("malignant") != std::string::npos;
    table.samples.push_back(std::move(sample));
  }
  std::sort(table.samples.begin(), table.samples.end(),
            [](const Sample& a, const Sample& b) { return a.relative < b.relative; });
  return table;
}

// Weights of the source pixels that target pixel `i` covers along one axis.
std::vector<std::pair<std::int64_t, double>> cover(std::int64_t i, std::int64_t source,
                                                   std::int64_t target) {
  const double scale = static_cast<double>(source) / static_cast<double>(target);
  const double begin = scale * static_cast<double>(i), end = scale * static_cast<double>(i + 1);
  std::vector<std::pair<std::int64_t, double>> weights;
  for (auto k = static_cast<std::int64_t>(begin); k < source && static_cast<double>(k) < end; ++k)
    weights.emplace_back(
        k, (std::min(end, static_cast<double>(k + 1)) - std::max(begin, static_cast<double>(k))) /
               scale);
  return weights;
}

double worst_area_error(const Image& image, const Image& small) {
  double worst = 0;
  for (std::int64_t y = 0; y < small.height; ++y) {
    const auto rows = cover(y, image.height, small.height);
    for (std::int64_t x = 0; x < small.width; ++x) {
      double sum[3] = {};
      for (const auto& [column, wx] : cover(x, image.width, small.width))
        for (const auto& [row, wy] : rows)
          for (std::size_t c = 0; c < 3; ++c)
            sum[c] +=
                wy * wx * image.rgb[static_cast<std::size_t>((row * image.width + column) * 3) + c];
      for (std::size_t c = 0; c < 3; ++c)
        worst = std::max(
            worst,
            std::abs(sum[c] - small.rgb[static_cast<std::size_t>((y * small.width + x) * 3) + c]));
    }
  }
  return worst;
}

}  // namespace

TEST_CASE("full-size pictures: area agrees with float64 to rounding") {
  BCX_NEEDS_SHARED("data/full-size");
  const auto files = pictures("data/full-size");
  REQUIRE(files.size() == 12);
  for (const auto& path : files) {
    INFO(path.string());
    const DecodedImage decoded = read_image(path);
    CHECK(decoded.image.width == 700);
    CHECK((decoded.image.height == 460 || decoded.image.height == 456));
    CHECK(decoded.note == "");
    for (const std::int64_t size : {224, 96}) {
      const Image small =
          resize_square(decoded.image.view(), size, ResizeRule::stretch, Interpolation::area);
      CHECK(worst_area_error(decoded.image, small) <= 0.51);
    }
  }
}

TEST_CASE("a picture and its resized, brightened or re-encoded self are near, others are far") {
  BCX_NEEDS_SHARED("data/full-size");
  std::vector<std::uint64_t> hashes;
  for (const auto& path : pictures("data/full-size")) {
    const Image image = read_image(path).image;
    const std::uint64_t hash = perceptual_hash(image.view());
    const Image half = resize_square(image.view(), 230, ResizeRule::stretch, Interpolation::linear);
    CHECK(std::popcount(hash ^ perceptual_hash(half.view())) <= 4);
    Image brighter = image;
    for (auto& v : brighter.rgb) v = static_cast<std::uint8_t>(std::min(255, v + 10));
    CHECK(std::popcount(hash ^ perceptual_hash(brighter.view())) <= 6);
    for (const auto other : hashes) CHECK(std::popcount(hash ^ other) > 8);
    hashes.push_back(hash);
  }
}

TEST_CASE("all real pictures: threads, cache and pack agree to the byte") {
  BCX_NEEDS_SHARED("data/BreaKHis_v1");
  TemporaryFolder cache;
  const SampleTable table = table_of(pictures("data/BreaKHis_v1"));
  REQUIRE(table.samples.size() == 352);
  config::DataConfig config;
  config.workers = 1;
  DecodeOptions options;
  options.use_cache = false;
  const DecodedData plain = decode_all(table, config, options);
  config.workers = 5;
  options.use_cache = true;
  options.cache = cache / "images";
  const DecodedData first = decode_all(table, config, options);
  const DecodedData second = decode_all(table, config, options);
  CHECK(!first.from_cache);
  CHECK(second.from_cache);
  write_packed(cache / "all.bcxpack", second, {224, "stretch", "area", ""});
  const PackedData packed = load_packed(cache / "all.bcxpack");
  const std::size_t bytes = 352u * 224 * 224 * 3;
  CHECK(std::equal(plain.pixels.view().data, plain.pixels.view().data + bytes,
                   first.pixels.view().data));
  CHECK(std::equal(plain.pixels.view().data, plain.pixels.view().data + bytes,
                   second.pixels.view().data));
  CHECK(std::equal(plain.pixels.view().data, plain.pixels.view().data + bytes,
                   packed.pixels.view().data));
  for (std::size_t i = 0; i < 352; ++i) {
    CHECK(plain.facts[i].pixel_hash == packed.facts[i].pixel_hash);
    CHECK(plain.facts[i].width == 350);
    CHECK((plain.facts[i].height == 230 || plain.facts[i].height == 228));
  }
  WARN("352 pictures of 350x230: " << plain.seconds << " s with one thread, " << first.seconds
                                   << " s with five and the cache written, " << second.seconds
                                   << " s from the cache");
}
