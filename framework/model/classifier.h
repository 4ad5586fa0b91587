// Backbone and head as one module.
#pragma once

#include <torch/nn/module.h>

#include <memory>
#include <string>

#include "bcx/sdk/backbone.h"
#include "config/experiment.h"

namespace bcx::model {

/// The host's head: pool -> dropout -> batch normalisation -> linear, as the original notebook had
/// it (GlobalAveragePooling2D, Dropout, BatchNormalization, Dense).
///
/// Parameters: `norm.{weight,bias,running_mean,running_var}` (if batch_norm),
/// `linear.{weight,bias}`.
class Head : public torch::nn::Module {
 public:
  Head(const config::HeadConfig& config, std::int64_t channels, std::int64_t classes);
  /// Logits [N, classes] in the parameters' type (float32), under autocast too.
  at::Tensor forward(const sdk::Features& features, sdk::ModelContext& context);

 private:
  at::Tensor pool(const sdk::Features& features) const;

  config::HeadConfig config_;
  std::shared_ptr<torch::nn::Module> norm_;
  at::Tensor norm_weight_, norm_bias_, running_mean_, running_var_;
  at::Tensor weight_, bias_;
};

/// images -> logits. Children: `backbone` and, with a new head, `head`.
class Classifier : public torch::nn::Module {
 public:
  /// Takes the backbone as the plugin made it. With head.kind = "published" the backbone's own
  /// classifier is used and there is no `head`.
  Classifier(std::shared_ptr<sdk::Backbone> backbone, const config::HeadConfig& head,
             std::int64_t classes);

  /// images [N, 3, H, W], normalised, channels-last -> logits [N, classes] float32:
  /// classify(features(images)).
  at::Tensor forward(const at::Tensor& images, sdk::ModelContext& context);
  /// What the backbone sees; `map` is there and has the backbone's channels.
  sdk::Features features(const at::Tensor& images, sdk::ModelContext& context);
  /// Features of N images -> logits [N, classes] float32.
  at::Tensor classify(const sdk::Features& features, sdk::ModelContext& context);

  sdk::Backbone& backbone() { return *backbone_; }

  /// Training mode, except that a module whose parameters are all frozen runs in evaluation mode
  /// (its batch statistics stay; Keras's rule) unless `train_frozen`.
  void train_unfrozen(bool train_frozen);

 private:
  std::shared_ptr<sdk::Backbone> backbone_;
  std::shared_ptr<Head> head_;
};

}  // namespace bcx::model
