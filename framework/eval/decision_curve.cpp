#include <algorithm>
#include <cmath>

#include "eval/checks.h"
#include "eval/curves.h"

namespace bcx::eval {
namespace {

/// How many of the rising `values` are at least `threshold`.
double at_least(const std::vector<double>& values, double threshold) {
  return static_cast<double>(values.end() -
                             std::lower_bound(values.begin(), values.end(), threshold));
}

}  // namespace

std::vector<DecisionPoint> decision_curve(const std::vector<bool>& positives,
                                          const Scores& probabilities) {
  require_same_size(positives.size(), probabilities.size());
  std::vector<double> of_positives, of_negatives;
  for (std::size_t i = 0; i < positives.size(); ++i) {
    const double value = probabilities.values()[i];
    if (std::isnan(value)) return {};
    (positives[i] ? of_positives : of_negatives).push_back(value);
  }
  if (positives.empty()) return {};
  std::sort(of_positives.begin(), of_positives.end());
  std::sort(of_negatives.begin(), of_negatives.end());
  const auto all = static_cast<double>(positives.size());
  const double prevalence = static_cast<double>(of_positives.size()) / all;
  std::vector<DecisionPoint> curve;
  for (int percent = 1; percent < 100; ++percent) {
    const double threshold = percent / 100.0, odds = threshold / (1.0 - threshold);
    const double benefit =
        at_least(of_positives, threshold) / all - at_least(of_negatives, threshold) / all * odds;
    curve.push_back({threshold, benefit, prevalence - (1.0 - prevalence) * odds});
  }
  return curve;
}

}  // namespace bcx::eval
