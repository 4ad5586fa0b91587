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
class CrossEntropy : public Loss {
 public:
  /// `weights`: one for each class, or empty for none. `options`: type and device of the
  /// arithmetic.
  CrossEntropy(double label_smoothing, std::span<const double> weights,
               const at::TensorOptions& options);
  at::Tensor per_sample(const at::Tensor& logits, const at::Tensor& targets) const override;

 protected:
  at::Tensor log_softmax(const at::Tensor& logits) const;  ///< [N, K], in the loss's type
  at::Tensor wanted(const at::Tensor& targets) const;      ///< [N, K]: w_k q_k

 private:
  double smoothing_;
  at::TensorOptions options_;
  at::Tensor weights_;  // [K], or undefined
};

/// -sum_k w_k q_k (1 - p_k)^gamma log p_k, with p = softmax(logits), w and q as cross-entropy has
/// them: what is right already counts less (Lin et al. 2017; its alpha is w). gamma = 0 is
/// cross-entropy.
class Focal final : public CrossEntropy {
 public:
  Focal(double gamma, double label_smoothing, std::span<const double> weights,
        const at::TensorOptions& options);
  at::Tensor per_sample(const at::Tensor& logits, const at::Tensor& targets) const override;

 private:
  double gamma_;
};

/// How the classes that a loss sees are distributed.
struct ClassFacts {
  std::span<const std::int64_t> counts;  ///< training images of each
  int positive = 1;                      ///< of two
};

/// The loss that an experiment names.
///
/// "binary_cross_entropy" with z = logit of the positive class - logit of the other one is
/// -(pos_weight q log sigmoid(z) + (1 - q) log(1 - sigmoid(z))),
/// torch.nn.functional.binary_cross_entropy_with_logits; as a softmax over two classes is a sigmoid
/// of the difference, it is cross-entropy with weight pos_weight for the positive class and 1 for
/// the other. Throws bcx::Error: usage when an option does not fit the loss or the classes, data
/// when there is nothing to balance.
std::unique_ptr<Loss> make_loss(const config::LossConfig& config, const ClassFacts& classes,
                                const at::TensorOptions& options);

}  // namespace bcx::train
