// ImageNet's classes for any picture: a published network as it was published.
#pragma once

#include <ATen/core/Tensor.h>

#include "bcx/sdk/backbone.h"
#include "data/images.h"
#include "engine/engine.h"

namespace bcx::engine {

/// A picture as the publisher of the weights prepares it, [1, 3, crop, crop] float32 on the CPU:
/// the shorter side scaled to `resize` with antialiasing (the longer one in proportion, rounded
/// down) and rounded to whole levels, the centre square cut out, divided by 255 and normalised:
/// what torchvision's ImageClassification does to a PIL image, and timm's evaluation transform with
/// its `crop_pct`. Throws bcx::Error (data) for a picture more than 64 times as long as it is wide,
/// or the other way round.
at::Tensor published_input(data::ImageView picture, const weights::PublishedInput& input,
                           const sdk::Normalization& normalization);

/// See Engine::predict_imagenet.
std::vector<ImageNetPrediction> predict_imagenet(const ImageNetRequest& request);

}  // namespace bcx::engine
