#include "engine/augment_preview.h"

#include <torch/types.h>

#include <cstring>
#include <numeric>

#include "engine/components.h"

namespace bcx::engine {

void augment_preview(const config::Experiment& experiment, const plugin::PluginCatalog& catalog,
                     std::span<std::uint8_t> pixels, const data::PixelView& shape,
                     const std::vector<std::uint64_t>& ids, std::int64_t epoch) {
  // Labels become the targets of mixtures, which nobody looks at here; a normalisation that changes
  // nothing leaves pictures.
  train::SampleInfo samples{ids, std::vector<std::int64_t>(ids.size(), 0)};
  const train::InputPipeline input(train::ResidentImages(shape, at::kCPU), std::move(samples),
                                   build_augmentations(experiment.augmentations, catalog),
                                   {.mean = {0, 0, 0}, .std = {1, 1, 1}},
                                   experiment.data.image_size, 2, experiment.seed);
  std::vector<std::int64_t> indexes(ids.size());
  std::iota(indexes.begin(), indexes.end(), std::int64_t{0});
  auto images = input.training(indexes, {}, epoch).images;
  if (images.size(2) != shape.height)  // of data.image_size; the sheet has room for data.cache_size
    images = at::upsample_bilinear2d(images, {shape.height, shape.width}, /*align_corners=*/false);
  const auto bytes =
      images.clamp(0.0, 1.0).mul(255.0).round().to(at::kByte).permute({0, 2, 3, 1}).contiguous();
  std::memcpy(pixels.data(), bytes.const_data_ptr<std::uint8_t>(), pixels.size());
}

}  // namespace bcx::engine
