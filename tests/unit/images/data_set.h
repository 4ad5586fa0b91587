// Small data sets of real files for the tests of decoding, cache and pack.
#pragma once

#include <fmt/format.h>

#include <filesystem>
#include <fstream>

#include "base/hash.h"
#include "base/philox.h"
#include "config/experiment.h"
#include "data/decode.h"
#include "data/images.h"
#include "data/sample.h"

namespace bcx::test {

/// A picture of coloured noise.
inline data::Image noise_picture(std::int64_t height, std::int64_t width, std::uint64_t seed) {
  data::Image image(height, width);
  const Stream stream(seed, "test-picture");
  for (std::size_t i = 0; i < image.rgb.size(); ++i)
    image.rgb[i] = static_cast<std::uint8_t>(stream.below(i, 256));
  return image;
}

/// `count` PNG files of sizes that differ, in two classes, under `folder`.
inline data::SampleTable make_data_set(const std::filesystem::path& folder, std::size_t count) {
  data::SampleTable table;
  table.classes = {"benign", "malignant"};
  table.attribute_names = {"case", "magnification"};
  for (std::size_t i = 0; i < count; ++i) {
    data::Sample sample;
    sample.relative = fmt::format("picture-{:04}.png", i);
    sample.id = stable_hash(sample.relative);
    sample.path = folder / sample.relative;
    sample.label = static_cast<int>(i % 2);
    sample.attributes = {fmt::format("{}", i / 4), i % 3 == 0 ? "40" : "100"};
    const auto extra = static_cast<std::int64_t>(i % 5);
    // Not write_png(): hundreds of fsyncs would be most of the tests' time.
    const auto bytes = data::encode_png(noise_picture(20 + extra, 30 - extra, i).view());
    std::ofstream(sample.path, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
    table.samples.push_back(std::move(sample));
  }
  return table;
}

inline config::DataConfig small_config() {
  config::DataConfig config;
  config.image_size = 16;
  config.workers = 2;
  return config;
}

inline std::vector<std::uint8_t> pixels_of(const data::DecodedData& data) {
  const auto& view = data.pixels.view();
  return {view.data, view.data + view.count * view.height * view.width * 3};
}

}  // namespace bcx::test
