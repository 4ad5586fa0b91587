// The backbone interface: images in, features out. The head is the host's.
#pragma once

#include <torch/nn/module.h>

#include <array>

#include "bcx/sdk/model_context.h"

namespace bcx::sdk {

/// What a backbone hands to the head. `map` is required; the others where the network has them.
struct Features {
  at::Tensor map{};     ///< [N, C, h, w]
  at::Tensor tokens{};  ///< [N, T, C]: a transformer's, class token first
  at::Tensor pooled{};  ///< [N, C]: where the network's own pooling is not the mean over the map
};

/// How pixels in [0, 1] become inputs: (x - mean) / std, per RGB channel.
struct Normalization {
  std::array<double, 3> mean{0.485, 0.456, 0.406};  ///< ImageNet's, as torchvision's weights expect
  std::array<double, 3> std{0.229, 0.224, 0.225};
};

/// A convolutional network or transformer without its classifier.
///
/// Parameter and buffer names equal torchvision's (timm's where torchvision has none), so that
/// published weights load unchanged. Batch-normalisation layers keep no `num_batches_tracked`
/// (sdk/nn.h's does not); the host counts steps and writes the entry when it saves.
///
/// Construction initialises parameters from the default generator, which the host seeds; forward
/// draws only from the context. The host moves the module and calls train()/eval().
class Backbone : public torch::nn::Module {
 public:
  /// images [N, 3, H, W], normalised, channels-last; float32, float64 or under autocast.
  virtual Features forward(const at::Tensor& images, ModelContext& context) = 0;

  virtual std::int64_t channels() const = 0;       ///< C of `map`
  virtual std::int64_t smallest_size() const = 0;  ///< smallest height and width that forward takes
  virtual Normalization normalization() const { return {}; }

  /// Registers the classifier that the network was published with (1,000 ImageNet classes), under its
  /// published parameter names (`classifier`, `fc`, ...), for model.head.kind = "published". Called
  /// once, before weights are loaded. Throws std::runtime_error where there is none.
  virtual void add_published_classifier();
  /// Logits [N, 1000] of that classifier. Only after add_published_classifier().
  virtual at::Tensor published_logits(const Features& features, ModelContext& context);
};

}  // namespace bcx::sdk
