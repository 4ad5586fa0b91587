// From sample indexes to a batch: gather, augment, normalise.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "bcx/sdk/augmentation.h"
#include "bcx/sdk/backbone.h"
#include "plugin/call_site.h"
#include "train/pixels.h"

namespace bcx::train {

/// An augmentation of the experiment, ready to be called.
struct NamedAugmentation {
  std::string instance;  ///< "rotate#2": names its stream of random numbers
  std::unique_ptr<sdk::Augmentation> object;
  plugin::CallSite site;
};

/// What the pipeline knows of each image of the data set; aligned with the resident pixels.
struct SampleInfo {
  std::vector<std::uint64_t> ids;
  std::vector<std::int64_t> labels;
};

/// Makes batches. Immutable after construction apart from what the augmentations are; one thread.
class InputPipeline {
 public:
  InputPipeline(ResidentImages images, SampleInfo samples,
                std::vector<NamedAugmentation> augmentations,
                const sdk::Normalization& normalization, std::int64_t image_size,
                std::int64_t classes, std::uint64_t seed);

  /// Augmented, normalised images and targets of a training batch. What a sample sees depends on
  /// (seed, epoch, its id, how often it came before in this epoch) alone; a mix() also on its
  /// neighbours in the batch. `times` is aligned with `indexes` (sampler.h, repetitions()).
  sdk::Batch training(std::span<const std::int64_t> indexes, std::span<const std::int64_t> times,
                      std::int64_t epoch) const;

  /// Images as they are, normalised: [N, 3, S, S].
  at::Tensor evaluation(std::span<const std::int64_t> indexes) const;

  /// View `view` of test-time augmentation: 0 is the image itself, the others use the experiment's
  /// geometric augmentations with numbers of their own.
  at::Tensor view(std::span<const std::int64_t> indexes, std::int64_t view) const;

  /// These come next: see ResidentImages::read_ahead().
  void read_ahead(std::span<const std::int64_t> indexes) const { images_.read_ahead(indexes); }

  std::int64_t image_size() const { return image_size_; }
  std::int64_t classes() const { return classes_; }
  const SampleInfo& samples() const { return samples_; }
  at::Device device() const { return images_.device(); }

 private:
  using Ids = std::vector<std::uint64_t>;
  /// What the draws are keyed by: sample ids, other ones for repetitions.
  Ids keys(std::span<const std::int64_t> indexes, std::span<const std::int64_t> times = {}) const;
  at::Tensor composed(const Ids& keys, const char* purpose, std::int64_t epoch,
                      std::vector<sdk::Draws>& streams) const;
  at::Tensor photometric(at::Tensor images, const std::vector<sdk::Draws>& streams) const;
  at::Tensor one_hot(std::span<const std::int64_t> indexes) const;
  bool any(sdk::Augmentation::Capability capability) const;

  ResidentImages images_;
  SampleInfo samples_;
  std::vector<NamedAugmentation> augmentations_;
  ChannelTransform normalise_;
  std::int64_t image_size_, classes_;
  std::uint64_t seed_;
};

}  // namespace bcx::train
