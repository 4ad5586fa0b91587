#include <algorithm>
#include <cmath>

#include "eval/checks.h"
#include "eval/curves.h"
#include "eval/metrics.h"

namespace bcx::eval {
namespace {

/// The bin (l, r] of a probability above 0: the first whose upper edge (b + 1) / bins reaches it.
/// The edges are divided out as the definition writes them, since b * (1 / bins) differs in the
/// last digit.
std::size_t bin_of(double probability, int bins) {
  auto bin = static_cast<int>(std::ceil(probability * bins)) - 1;
  bin = std::clamp(bin, 0, bins - 1);
  while (bin > 0 && probability <= static_cast<double>(bin) / bins) --bin;
  while (bin < bins - 1 && probability > static_cast<double>(bin + 1) / bins) ++bin;
  return static_cast<std::size_t>(bin);
}

}  // namespace

Metric brier(const std::vector<bool>& positives, const Scores& probabilities) {
  require_same_size(positives.size(), probabilities.size());
  if (positives.empty()) return std::nullopt;
  double sum = 0.0;
  for (std::size_t i = 0; i < positives.size(); ++i) {
    const double difference = probabilities.values()[i] - (positives[i] ? 1.0 : 0.0);
    sum += difference * difference;
  }
  return sum / static_cast<double>(positives.size());
}

Metric log_loss(std::span<const Label> targets, const Probabilities& probabilities) {
  require_same_size(targets.size(), probabilities.size());
  require_labels(targets, probabilities.classes());
  if (targets.empty()) return std::nullopt;
  const double smallest = std::ldexp(1.0, -52);
  double sum = 0.0;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const double probability = probabilities.row(i)[static_cast<std::size_t>(targets[i])];
    sum -= std::log(std::clamp(probability, smallest, 1.0 - smallest));
  }
  return sum / static_cast<double>(targets.size());
}

std::vector<CalibrationBin> calibration_curve(std::span<const Label> targets,
                                              const Probabilities& probabilities, int bins) {
  require_same_size(targets.size(), probabilities.size());
  require_labels(targets, probabilities.classes());
  if (bins < 1) throw std::invalid_argument("fewer than one bin");
  std::vector<CalibrationBin> curve(static_cast<std::size_t>(bins));
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const auto row = probabilities.row(i);
    const auto largest = std::max_element(row.begin(), row.end());
    if (!(*largest > 0.0)) continue;  // no bin holds 0 or not-a-number
    auto& bin = curve[bin_of(*largest, bins)];
    ++bin.count;
    bin.confidence += *largest;
    bin.accuracy += largest - row.begin() == targets[i] ? 1.0 : 0.0;
  }
  for (auto& bin : curve) {
    if (bin.count == 0) continue;
    bin.confidence /= static_cast<double>(bin.count);
    bin.accuracy /= static_cast<double>(bin.count);
  }
  return curve;
}

Metric expected_calibration_error(std::span<const Label> targets,
                                  const Probabilities& probabilities, int bins) {
  if (targets.empty()) return std::nullopt;
  double error = 0.0;
  for (const auto& bin : calibration_curve(targets, probabilities, bins))
    error += static_cast<double>(bin.count) * std::abs(bin.accuracy - bin.confidence);
  return error / static_cast<double>(targets.size());
}

}  // namespace bcx::eval
