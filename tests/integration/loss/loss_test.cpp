#include "train/loss.h"

#include <torch/torch.h>

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
    bcx::train::make_loss(config, counts, options);
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
        "loss.name: unknown loss \"hinge\"; there is: cross_entropy");
}
