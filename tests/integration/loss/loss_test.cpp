#include "train/loss.h"

#include <torch/nn/functional/loss.h>

#include <cmath>

#include "base/error.h"
#include "tests/catch.h"

using bcx::config::LossConfig;
using bcx::train::CrossEntropy;
namespace functional = torch::nn::functional;

namespace {

const auto options = at::TensorOptions().dtype(at::kDouble);
const std::vector<double> weights{0.5, 2.0, 1.25};

/// [5, 3], different for each name.
at::Tensor values(double phase) {
  return (at::arange(15, options) * 1.7 + phase).sin().view({5, 3});
}

at::Tensor soft_targets() {
  return at::softmax(values(0.4) * 3, 1);
}

/// The definition, one number at a time.
double naive(const at::Tensor& logits, const at::Tensor& targets, std::int64_t n,
             double smoothing) {
  double total = 0, loss = 0;
  for (int k = 0; k < 3; ++k) total += std::exp(logits[n][k].item<double>());
  for (int k = 0; k < 3; ++k) {
    const double wanted = (1 - smoothing) * targets[n][k].item<double>() + smoothing / 3;
    loss -= weights[static_cast<std::size_t>(k)] * wanted *
            std::log(std::exp(logits[n][k].item<double>()) / total);
  }
  return loss;
}

std::string refusal(const LossConfig& config, const std::vector<std::int64_t>& counts,
                    bcx::ExitCode code) {
  try {
    bcx::train::make_loss(config, {counts, 1}, options);
  } catch (const bcx::Error& error) {
    CHECK(error.code() == code);
    return error.what();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("cross entropy of soft targets is its definition") {
  const auto logits = values(0) * 4, targets = soft_targets();
  for (const double smoothing : {0.0, 0.1}) {
    const CrossEntropy loss(smoothing, weights, options);
    const auto each = loss.per_sample(logits, targets);
    REQUIRE(each.sizes() == at::IntArrayRef{5});
    double sum = 0;
    for (std::int64_t n = 0; n < 5; ++n) {
      const double expected = naive(logits, targets, n, smoothing);
      CHECK(each[n].item<double>() == Approx(expected).epsilon(1e-12));
      sum += expected;
    }
    CHECK(loss.mean(logits, targets).item<double>() == Approx(sum / 5).epsilon(1e-12));
  }
}

TEST_CASE("cross entropy equals torch's, for probabilities and for class indices") {
  const auto logits = values(0) * 4, weight = at::tensor(weights, options);
  const auto labels = at::tensor({2, 0, 1, 1, 2}, at::kLong);
  const auto hard = at::one_hot(labels, 3).to(at::kDouble);
  for (const double smoothing : {0.0, 0.2}) {
    const CrossEntropy loss(smoothing, weights, options);
    const auto theirs =
        functional::CrossEntropyFuncOptions().weight(weight).label_smoothing(smoothing);
    for (const auto& targets : {soft_targets(), hard})
      CHECK(
          loss.mean(logits, targets).item<double>() ==
          Approx(functional::cross_entropy(logits, targets, theirs).item<double>()).epsilon(1e-12));
    auto by_index = theirs;
    by_index.reduction(torch::kNone);
    CHECK(at::allclose(loss.per_sample(logits, hard),
                       functional::cross_entropy(logits, labels, by_index), 0.0, 1e-12));
    // torch's mean over class indices divides by the sum of the targets' weights instead of N.
    CHECK(loss.mean(logits, hard).item<double>() * 5 /
              weight.index({labels}).sum().item<double>() ==
          Approx(functional::cross_entropy(logits, labels, theirs).item<double>()).epsilon(1e-12));
  }
}

TEST_CASE("focal loss is its definition, and without focus cross-entropy") {
  const auto logits = values(0) * 4, targets = soft_targets();
  for (const double gamma : {0.5, 2.0, 5.0}) {
    const auto each = bcx::train::Focal(gamma, 0.1, weights, options).per_sample(logits, targets);
    for (std::int64_t n = 0; n < 5; ++n) {
      double total = 0, expected = 0;
      for (int k = 0; k < 3; ++k) total += std::exp(logits[n][k].item<double>());
      for (int k = 0; k < 3; ++k) {
        const double p = std::exp(logits[n][k].item<double>()) / total;
        const double wanted = 0.9 * targets[n][k].item<double>() + 0.1 / 3;
        expected -=
            weights[static_cast<std::size_t>(k)] * wanted * std::pow(1 - p, gamma) * std::log(p);
      }
      CHECK(each[n].item<double>() == Approx(expected).epsilon(1e-12));
    }
  }
  CHECK(at::allclose(bcx::train::Focal(0.0, 0.1, weights, options).per_sample(logits, targets),
                     CrossEntropy(0.1, weights, options).per_sample(logits, targets), 1e-12, 0.0));
}

TEST_CASE("focal loss has a slope where a prediction is certain") {
  auto logits = at::tensor({60.0F, -60.0F}).view({1, 2}).requires_grad_();
  const auto target = at::tensor({1.0F, 0.0F}).view({1, 2});
  bcx::train::Focal(0.5, 0.0, {}, at::kFloat).mean(logits, target).backward();
  CHECK(logits.grad().isfinite().all().item<bool>());
}

TEST_CASE("binary cross-entropy equals torch's of the logits' difference") {
  const auto logits = values(0).narrow(1, 0, 2) * 4;
  const auto q = at::sigmoid(values(0.7).select(1, 0) * 3);
  LossConfig config;
  config.name = "binary_cross_entropy";
  for (const int positive : {0, 1}) {
    const auto targets = positive == 1 ? at::stack({1 - q, q}, 1) : at::stack({q, 1 - q}, 1);
    const auto z = logits.select(1, positive) - logits.select(1, 1 - positive);
    const std::vector<std::int64_t> counts =
        positive == 1 ? std::vector<std::int64_t>{30, 12} : std::vector<std::int64_t>{12, 30};
    for (const bool balanced : {false, true}) {
      config.pos_weight = balanced ? decltype(config.pos_weight)("balanced") : 3.0;
      const double weight = balanced ? 2.5 : 3.0;
      const auto loss = bcx::train::make_loss(config, {counts, positive}, options);
      const auto theirs = functional::binary_cross_entropy_with_logits(
          z, q,
          functional::BinaryCrossEntropyWithLogitsFuncOptions()
              .pos_weight(at::tensor({weight}, options))
              .reduction(torch::kNone));
      CHECK(at::allclose(loss->per_sample(logits, targets), theirs, 1e-12, 0.0));
    }
  }
}

TEST_CASE("the gradient with respect to logits is softmax minus target") {
  const auto logits = values(0).requires_grad_(), targets = soft_targets();
  CrossEntropy(0.0, {}, options).mean(logits, targets).backward();
  const auto expected = (at::softmax(logits.detach(), 1) - targets) / 5;
  CHECK(at::allclose(logits.grad(), expected, 0.0, 1e-14));
}

TEST_CASE("half-precision logits are taken to float32 before anything is computed") {
  const CrossEntropy loss(0.1, {}, at::kFloat);
  const auto logits = (values(0) * 40).to(at::kBFloat16), targets = soft_targets().to(at::kFloat);
  const auto result = loss.mean(logits, targets);
  CHECK(result.scalar_type() == at::kFloat);
  CHECK(result.item<float>() == loss.mean(logits.to(at::kFloat), targets).item<float>());
}

TEST_CASE("balanced weights are n / (K n_k)") {
  LossConfig config;
  config.class_weights = "balanced";
  const std::vector<std::int64_t> counts{30, 10, 20};
  const auto balanced = bcx::train::class_weights(config, counts);
  REQUIRE(balanced.size() == 3);
  CHECK(balanced[0] == Approx(60 / 90.0));
  CHECK(balanced[1] == Approx(2.0));
  CHECK(balanced[2] == Approx(1.0));
  config.class_weights = "none";
  CHECK(bcx::train::class_weights(config, counts).empty());
}

TEST_CASE("losses that make no sense are refused with a remedy") {
  LossConfig config;
  config.class_weights = "balanced";
  CHECK(refusal(config, {4, 0}, bcx::ExitCode::data) ==
        "loss.class_weights: class 1 has no training image to balance; choose another split, or "
        "leave the class out of data.classes");
  config.class_weights = std::vector<double>{1.0, 2.0, 3.0};
  CHECK(refusal(config, {4, 4}, bcx::ExitCode::usage) ==
        "loss.class_weights: 3 weights for 2 classes; give one weight for each class, in the order "
        "of data.classes");
  config.class_weights = "even";
  CHECK(refusal(config, {4, 4}, bcx::ExitCode::usage) ==
        "loss.class_weights: unknown rule \"even\"; use \"none\", \"balanced\" or a list");
  config = {};
  config.name = "hinge";
  CHECK(refusal(config, {4, 4}, bcx::ExitCode::usage) ==
        "loss.name: unknown loss \"hinge\"; there are: cross_entropy, focal, binary_cross_entropy");
  config.name = "binary_cross_entropy";
  CHECK(refusal(config, {4, 4, 4}, bcx::ExitCode::usage) ==
        "loss.name: binary_cross_entropy is for two classes, there are 3; use cross_entropy");
  config.pos_weight = "balanced";
  CHECK(
      refusal(config, {4, 0}, bcx::ExitCode::data) ==
      "loss.pos_weight: the positive class has no training image to balance; choose another split");
  config.class_weights = "balanced";
  CHECK(refusal(config, {4, 4}, bcx::ExitCode::usage) ==
        "loss.class_weights: binary_cross_entropy takes the weight of its classes from "
        "loss.pos_weight; leave it out");
}
