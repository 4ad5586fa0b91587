// Where a classifier looks: Grad-CAM.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>

#include "model/classifier.h"

namespace bcx::model {

/// Gradient-weighted class activation maps (Selvaraju et al. 2017) over the backbone's feature map
/// A [N, C, h, w]. With y_c the logit of class c:
///
///     alpha_k = mean over (i, j) of dy_c / dA_k(i, j)
///     map     = max(0, sum over k of alpha_k A_k)
///
/// The classifier is put into evaluation mode and borrowed; the backbone runs once, here, so that
/// maps() of other classes or of a changed head cost little. One thread.
class GradCam {
 public:
  /// images [N, 3, H, W], normalised.
  GradCam(Classifier& classifier, at::Tensor images, sdk::ModelContext& context);

  /// [N, classes], of the classifier as it is now.
  at::Tensor logits();

  /// [N, h, w], at least 0, not scaled. `targets`: a class for each image. Throws bcx::Error
  /// (usage) when the logits do not depend on the feature map (a head on a transformer's class
  /// token).
  at::Tensor maps(std::span<const std::int64_t> targets);

 private:
  /// dy/dA for the sum of the targets' logits, undefined where there is no dependence.
  at::Tensor gradient(const sdk::Features& features, const at::Tensor& targets);

  Classifier& classifier_;
  at::Tensor images_;
  sdk::ModelContext& context_;
  sdk::Features features_;
};

}  // namespace bcx::model
