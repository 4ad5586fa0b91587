// Logits of many samples, without gradients.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "model/classifier.h"
#include "plugin/call_site.h"
#include "train/input.h"
#include "train/precision.h"

namespace bcx::train {

struct ForwardSettings {
  Precision precision = Precision::fp32;
  std::int64_t batch_size = 16;
  std::int64_t views = 1;  ///< of test-time augmentation; 1: the image itself
};

/// [samples, classes] float32, row-major, in the order of `indexes`. With several views: the
/// logarithm of the mean probability over the views, so that a softmax of it gives that mean.
///
/// The model is put into evaluation mode; its weights must not change before this returns
/// (sdk::InferenceScope). A sample's logits do not depend on the others. Called
/// after each batch: `progress(done, total)`, which may throw to stop.
std::vector<float> forward_all(
    model::Classifier& classifier, const plugin::CallSite& backbone_site,
    const InputPipeline& input, std::span<const std::int64_t> indexes, sdk::ModelContext& context,
    const ForwardSettings& settings,
    const std::function<void(std::int64_t, std::int64_t)>& progress = {});

}  // namespace bcx::train
