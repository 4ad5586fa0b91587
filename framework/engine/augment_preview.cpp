#include "engine/augment_preview.h"

#include <torch/torch.h>

#include <cstring>
#include <numeric>

#include "engine/components.h"

namespace bcx::engine {

void augment_preview(const config::Experiment& experiment, const plugin::PluginCatalog& catalog,
                     std::span<std::uint8_t> pixels, const data::PixelView& shape,
                     const std::vector<std::uint64_t>& ids, std::int64_t epoch) {
  // Labels matter to mix() alone, and a mixture is nothing to look at.
  train::SampleInfo samples{ids, std::vector<std::int64_t>(ids.size(), 0)};
  const train::InputPipeline input(train::ResidentImages(shape, at::kCPU), std::move(samples),
                                   build_augmentations(experiment.augmentations, catalog), {},
                                   shape.height, 2, experiment.seed);
  std::vector<std::int64_t> indexes(ids.size());
  std::iota(indexes.begin(), indexes.end(), std::int64_t{0});
  const auto bytes = input.preview(indexes, epoch)
                         .mul(255.0)
                         .round()
                         .to(at::kByte)
                         .permute({0, 2, 3, 1})
                         .contiguous();
  std::memcpy(pixels.data(), bytes.const_data_ptr<std::uint8_t>(), pixels.size());
}

}  // namespace bcx::engine
