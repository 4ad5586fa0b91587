#include "train/input.h"

#include <fmt/ranges.h>
#include <torch/utils.h>

#include "base/error.h"

namespace bcx::train {
namespace {

using sdk::Augmentation;

void require_shape(const at::Tensor& images, at::IntArrayRef expected) {
  if (!images.defined() || images.sizes() != expected || images.scalar_type() != at::kFloat)
    throw Error(ExitCode::plugin, fmt::format("returned another shape or type than [{}] float32",
                                              fmt::join(expected, ", ")));
}

at::Tensor normalised(const at::Tensor& images, const ChannelTransform& t) {
  const auto row = [&](const std::array<float, 3>& values) {
    return at::tensor(at::ArrayRef<float>(values), at::kFloat)
        .to(images.device(), true)
        .view({1, 3, 1, 1});
  };
  return at::addcmul(row(t.shift), images, row(t.scale)).contiguous(at::MemoryFormat::ChannelsLast);
}

}  // namespace

InputPipeline::InputPipeline(ResidentImages images, SampleInfo samples,
                             std::vector<NamedAugmentation> augmentations,
                             const sdk::Normalization& normalization, std::int64_t image_size,
                             std::int64_t classes, std::uint64_t seed)
    : images_(std::move(images)),
      samples_(std::move(samples)),
      augmentations_(std::move(augmentations)),
      normalise_(ChannelTransform::normalise(normalization.mean, normalization.std)),
      image_size_(image_size),
      classes_(classes),
      seed_(seed) {}

bool InputPipeline::any(Augmentation::Capability capability) const {
  for (const auto& augmentation : augmentations_)
    if (augmentation.object->capabilities() & capability) return true;
  return false;
}

InputPipeline::Ids InputPipeline::keys(std::span<const std::int64_t> indexes,
                                       std::span<const std::int64_t> times) const {
  Ids keys;
  for (std::size_t n = 0; n < indexes.size(); ++n) {
    const std::uint64_t id = samples_.ids[static_cast<std::size_t>(indexes[n])];
    const auto repetition = times.empty() ? 0 : static_cast<std::uint64_t>(times[n]);
    keys.push_back(id ^ (repetition * 0x9E3779B97F4A7C15ull));  // the golden ratio: ids stay apart
  }
  return keys;
}

/// The composed inverse map, undefined when nothing is geometric. Fills `streams` with one stream
/// per augmentation, not yet drawn from: compose, apply and mix each get a copy.
at::Tensor InputPipeline::composed(const Ids& keys, const char* purpose, std::int64_t epoch,
                                   std::vector<sdk::Draws>& streams) const {
  for (const auto& augmentation : augmentations_)
    streams.emplace_back(seed_, fmt::format("{}.{}", purpose, augmentation.instance),
                         static_cast<std::uint64_t>(epoch), keys, images_.device());
  if (!any(Augmentation::composes)) return {};
  sdk::Affine affine(static_cast<std::int64_t>(keys.size()), image_size_, image_size_,
                     images_.device());
  for (std::size_t i = 0; i < augmentations_.size(); ++i) {
    const auto& [instance, object, site] = augmentations_[i];
    if (object->capabilities() & Augmentation::composes)
      site("composing the geometric map", [&] {
        auto draws = streams[i];
        object->compose(draws, affine);
      });
  }
  return affine.inverse();
}

at::Tensor InputPipeline::photometric(at::Tensor images,
                                      const std::vector<sdk::Draws>& streams) const {
  for (std::size_t i = 0; i < augmentations_.size(); ++i) {
    const auto& [instance, object, site] = augmentations_[i];
    if (!(object->capabilities() & Augmentation::applies)) continue;
    images = site("applying it to a batch", [&] {
      auto draws = streams[i];
      auto result = object->apply(images, draws);
      require_shape(result, images.sizes());
      return result;
    });
  }
  return images;
}

at::Tensor InputPipeline::one_hot(std::span<const std::int64_t> indexes) const {
  const auto targets = at::zeros({static_cast<std::int64_t>(indexes.size()), classes_}, at::kFloat);
  auto rows = targets.accessor<float, 2>();
  for (std::size_t n = 0; n < indexes.size(); ++n)
    rows[static_cast<std::int64_t>(n)][samples_.labels[static_cast<std::size_t>(indexes[n])]] =
        1.0f;
  return targets.to(images_.device(), true);
}

sdk::Batch InputPipeline::training(std::span<const std::int64_t> indexes,
                                   std::span<const std::int64_t> times, std::int64_t epoch) const {
  torch::NoGradGuard no_grad;
  std::vector<sdk::Draws> streams;
  const auto inverse = composed(keys(indexes, times), "augmentation", epoch, streams);
  sdk::Batch batch;
  if (any(Augmentation::applies)) {
    auto images = images_.gather(indexes, inverse, image_size_, {});
    batch.images = normalised(photometric(std::move(images), streams), normalise_);
  } else {
    batch.images = images_.gather(indexes, inverse, image_size_, normalise_);
  }
  batch.targets = one_hot(indexes);
  for (std::size_t i = 0; i < augmentations_.size(); ++i) {
    const auto& [instance, object, site] = augmentations_[i];
    if (!(object->capabilities() & Augmentation::mixes)) continue;
    const auto image_shape = batch.images.sizes().vec(), target_shape = batch.targets.sizes().vec();
    site("mixing a batch", [&] {
      auto draws = streams[i];
      object->mix(batch, draws);
      require_shape(batch.images, image_shape);
      require_shape(batch.targets, target_shape);
    });
  }
  return batch;
}

at::Tensor InputPipeline::evaluation(std::span<const std::int64_t> indexes) const {
  return images_.gather(indexes, {}, image_size_, normalise_);
}

at::Tensor InputPipeline::view(std::span<const std::int64_t> indexes, std::int64_t view) const {
  torch::NoGradGuard no_grad;
  if (view == 0) return evaluation(indexes);
  std::vector<sdk::Draws> streams;
  return images_.gather(indexes, composed(keys(indexes), "tta", view, streams), image_size_,
                        normalise_);
}

}  // namespace bcx::train
