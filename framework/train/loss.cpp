#include "train/loss.h"

#include <ATen/ATen.h>

#include <numeric>
#include <string>

#include "base/error.h"
#include "base/text.h"

namespace bcx::train {

std::vector<double> class_weights(const config::LossConfig& config,
                                  std::span<const std::int64_t> class_counts) {
  const auto refuse = [](ExitCode code, std::string what, std::string remedy) {
    throw Error(code, {std::move(what), "loss.class_weights", std::move(remedy)});
  };
  const auto classes = class_counts.size();
  if (const auto* given = std::get_if<std::vector<double>>(&config.class_weights)) {
    if (given->size() != classes)
      refuse(ExitCode::usage,
             std::to_string(given->size()) + " weights for " + std::to_string(classes) + " classes",
             "give one weight for each class, in the order of data.classes");
    return *given;
  }
  const auto& rule = std::get<std::string>(config.class_weights);
  if (rule == "none") return {};
  if (rule != "balanced")
    refuse(ExitCode::usage, "unknown rule \"" + printable(rule) + "\"",
           "use \"none\", \"balanced\" or a list");
  const auto total = static_cast<double>(
      std::accumulate(class_counts.begin(), class_counts.end(), std::int64_t{0}));
  std::vector<double> weights;
  for (const auto count : class_counts) {
    if (count <= 0)
      refuse(ExitCode::data,
             "class " + std::to_string(weights.size()) + " has no training image to balance",
             "choose another split, or leave the class out of data.classes");
    weights.push_back(total / (static_cast<double>(classes) * static_cast<double>(count)));
  }
  return weights;
}

at::Tensor Loss::mean(const at::Tensor& logits, const at::Tensor& targets) const {
  return per_sample(logits, targets).mean();
}

CrossEntropy::CrossEntropy(double label_smoothing, std::span<const double> weights,
                           const at::TensorOptions& options)
    : smoothing_(label_smoothing), options_(options) {
  if (!weights.empty())
    weights_ = at::tensor(at::ArrayRef<double>(weights.data(), weights.size()), at::kDouble)
                   .to(options.device(), at::typeMetaToScalarType(options.dtype()));
}

at::Tensor CrossEntropy::per_sample(const at::Tensor& logits, const at::Tensor& targets) const {
  const auto log_shares = at::log_softmax(logits, 1, at::typeMetaToScalarType(options_.dtype()));
  at::Tensor wanted = targets;
  if (smoothing_ > 0.0)
    wanted = targets * (1.0 - smoothing_) + smoothing_ / static_cast<double>(logits.size(1));
  if (weights_.defined()) wanted = wanted * weights_;
  return -(log_shares * wanted).sum(1);
}

std::unique_ptr<Loss> make_loss(const config::LossConfig& config,
                                std::span<const std::int64_t> class_counts,
                                const at::TensorOptions& options) {
  if (config.name != "cross_entropy")
    throw Error(ExitCode::usage, {"unknown loss \"" + printable(config.name) + "\"", "loss.name",
                                  "there is: cross_entropy"});
  const auto weights = class_weights(config, class_counts);
  return std::make_unique<CrossEntropy>(config.label_smoothing, weights, options);
}

}  // namespace bcx::train
