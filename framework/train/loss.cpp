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

at::Tensor CrossEntropy::log_softmax(const at::Tensor& logits) const {
  return at::log_softmax(logits, 1, at::typeMetaToScalarType(options_.dtype()));
}

at::Tensor CrossEntropy::wanted(const at::Tensor& targets) const {
  at::Tensor result = targets;
  if (smoothing_ > 0.0)
    result = targets * (1.0 - smoothing_) + smoothing_ / static_cast<double>(targets.size(1));
  return weights_.defined() ? result * weights_ : result;
}

at::Tensor CrossEntropy::per_sample(const at::Tensor& logits, const at::Tensor& targets) const {
  return -(log_softmax(logits) * wanted(targets)).sum(1);
}

Focal::Focal(double gamma, double label_smoothing, std::span<const double> weights,
             const at::TensorOptions& options)
    : CrossEntropy(label_smoothing, weights, options), gamma_(gamma) {}

at::Tensor Focal::per_sample(const at::Tensor& logits, const at::Tensor& targets) const {
  const auto log_shares = log_softmax(logits);
  // 1 - p by expm1, exact where p is near 1; not 0, where a power below 1 has no slope.
  const auto missing = log_shares.expm1().neg().clamp_min(1e-12);
  return -(missing.pow(gamma_) * log_shares * wanted(targets)).sum(1);
}

namespace {

std::vector<double> binary_weights(const config::LossConfig& config, const ClassFacts& classes) {
  const auto refuse = [](ExitCode code, std::string what, std::string where, std::string remedy) {
    throw Error(code, {std::move(what), std::move(where), std::move(remedy)});
  };
  const auto& counts = classes.counts;
  if (counts.size() != 2)
    refuse(ExitCode::usage,
           "binary_cross_entropy is for two classes, there are " + std::to_string(counts.size()),
           "loss.name", "use cross_entropy");
  if (config.class_weights != decltype(config.class_weights)(std::string("none")))
    refuse(ExitCode::usage,
           "binary_cross_entropy takes the weight of its classes from loss.pos_weight",
           "loss.class_weights", "leave it out");
  std::vector<double> weights(2, 1.0);
  const auto positive = static_cast<std::size_t>(classes.positive);
  if (const auto* given = std::get_if<double>(&config.pos_weight)) {
    weights[positive] = *given;
  } else {
    if (counts[positive] == 0)
      refuse(ExitCode::data, "the positive class has no training image to balance",
             "loss.pos_weight", "choose another split");
    weights[positive] =
        static_cast<double>(counts[1 - positive]) / static_cast<double>(counts[positive]);
  }
  return weights;
}

}  // namespace

std::unique_ptr<Loss> make_loss(const config::LossConfig& config, const ClassFacts& classes,
                                const at::TensorOptions& options) {
  const double smoothing = config.label_smoothing;
  if (config.name == "binary_cross_entropy")
    return std::make_unique<CrossEntropy>(smoothing, binary_weights(config, classes), options);
  const auto weights = class_weights(config, classes.counts);
  if (config.name == "cross_entropy")
    return std::make_unique<CrossEntropy>(smoothing, weights, options);
  if (config.name == "focal")
    return std::make_unique<Focal>(config.focal_gamma, smoothing, weights, options);
  throw Error(ExitCode::usage, {"unknown loss \"" + printable(config.name) + "\"", "loss.name",
                                "there are: cross_entropy, focal, binary_cross_entropy"});
}

}  // namespace bcx::train
