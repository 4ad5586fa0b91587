// Training losses: from logits and soft targets to one number.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/TensorOptions.h>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "config/experiment.h"

namespace bcx::train {

/// Weight of each class, or none (empty) for loss.class_weights = "none".
///
/// "balanced" is n / (K n_k) over the training images, as scikit-learn has it: the mean weight of a
/// training image is 1. A list is taken as it is. Throws bcx::Error: data when a class to be
/// balanced has no training image, usage when a list has not one weight for each class.
std::vector<double> class_weights(const config::LossConfig& config,
                                  std::span<const std::int64_t> class_counts);

/// A loss over soft targets. Immutable after construction; no function waits for the device.
///
/// logits [N, K] of any floating type; targets [N, K], rows sum to 1 (one-hot, or mixed by mixup),
/// of the loss's type. The arithmetic and the result are in the loss's type: float32, or float64.
class Loss {
 public:
  virtual ~Loss() = default;

  /// [N]: what each sample adds to the batch's sum, class weights included.
  virtual at::Tensor per_sample(const at::Tensor& logits, const at::Tensor& targets) const = 0;

  /// 0-dim: the sum over samples divided by N, with class weights too.
  ///
  /// This is torch's rule for probability targets, and Keras's. (For class indices torch divides by
  /// the sum of the targets' weights instead, which for soft targets has no meaning.) Dividing by N
  /// keeps the step of a micro-batch the same whatever classes it happens to hold, so that
  /// accumulated gradients equal those of the whole batch.
  at::Tensor mean(const at::Tensor& logits, const at::Tensor& targets) const;
};

/// -sum_k w_k q_k log softmax(logits)_k, with q = (1 - s) target + s / K for label smoothing s
/// (Szegedy et al. 2016). torch.nn.functional.cross_entropy with probability targets; for one-hot
/// ones also its sum over class indices.
class CrossEntropy final : public Loss {
 public:
  /// `weights`: one for each class, or empty for none. `options`: type and device of the
  /// arithmetic.
  CrossEntropy(double label_smoothing, std::span<const double> weights,
               const at::TensorOptions& options);
  at::Tensor per_sample(const at::Tensor& logits, const at::Tensor& targets) const override;

 private:
  double smoothing_;
  at::TensorOptions options_;
  at::Tensor weights_;  // [K], or undefined
};

/// The loss that an experiment names; class_counts are the training images of each class.
std::unique_ptr<Loss> make_loss(const config::LossConfig& config,
                                std::span<const std::int64_t> class_counts,
                                const at::TensorOptions& options);

}  // namespace bcx::train
