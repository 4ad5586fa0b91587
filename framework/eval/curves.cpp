#include "eval/curves.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "eval/checks.h"
#include "eval/metrics.h"

namespace bcx::eval {
namespace {

/// Positives and negatives whose score is at least `threshold`, for each distinct score, falling.
/// Empty when a score is not a number.
struct Step {
  double threshold;
  std::int64_t positives, negatives;
};

std::vector<Step> steps_of(const std::vector<bool>& positives, const Scores& scores) {
  require_same_size(positives.size(), scores.size());
  const auto values = scores.values();
  // Not-a-numbers have no order: no threshold, and so no curve and no area.
  if (std::any_of(values.begin(), values.end(), [](double value) { return std::isnan(value); }))
    return {};
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return values[a] > values[b]; });
  std::vector<Step> steps;
  std::int64_t p = 0, n = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    ++(positives[order[i]] ? p : n);
    const double value = values[order[i]];
    if (i + 1 == order.size() || values[order[i + 1]] != value) steps.push_back({value, p, n});
  }
  return steps;
}

double ratio(std::int64_t part, std::int64_t whole) {
  return static_cast<double>(part) / static_cast<double>(whole);
}

bool has_both(const std::vector<Step>& steps) {
  return !steps.empty() && steps.back().positives > 0 && steps.back().negatives > 0;
}

bool has_positives(const std::vector<Step>& steps) {
  return !steps.empty() && steps.back().positives > 0;
}

}  // namespace

std::vector<bool> is_class(std::span<const Label> targets, int of_class) {
  std::vector<bool> result(targets.size());
  for (std::size_t i = 0; i < targets.size(); ++i) result[i] = targets[i] == of_class;
  return result;
}

Metric roc_auc(const std::vector<bool>& positives, const Scores& scores) {
  const auto steps = steps_of(positives, scores);
  if (!has_both(steps)) return std::nullopt;
  // Twice the pairs won, a tie counting one: whole numbers, so that no order of summation matters.
  // n^2 stays below 2^63 for n below 3e9.
  std::int64_t twice_won = 0;
  Step before{0.0, 0, 0};
  for (const Step& step : steps) {
    twice_won += (step.negatives - before.negatives) * (step.positives + before.positives);
    before = step;
  }
  const auto pairs = static_cast<double>(before.positives) * static_cast<double>(before.negatives);
  return static_cast<double>(twice_won) / (2.0 * pairs);
}

Metric roc_auc_macro(std::span<const Label> targets, const Probabilities& probabilities) {
  std::vector<bool> present(static_cast<std::size_t>(probabilities.classes()));
  for (const Label target : targets) present.at(static_cast<std::size_t>(target)) = true;
  if (std::find(present.begin(), present.end(), false) != present.end()) return std::nullopt;
  double sum = 0.0;
  for (int k = 0; k < probabilities.classes(); ++k) {
    const Metric one = roc_auc(is_class(targets, k), probabilities.scores(k));
    if (!one) return std::nullopt;
    sum += *one;
  }
  return sum / probabilities.classes();
}

Metric average_precision(const std::vector<bool>& positives, const Scores& scores) {
  const auto steps = steps_of(positives, scores);
  if (!has_positives(steps)) return std::nullopt;
  double sum = 0.0;
  std::int64_t before = 0;
  for (const Step& step : steps) {
    sum += ratio(step.positives - before, steps.back().positives) *
           ratio(step.positives, step.positives + step.negatives);
    before = step.positives;
  }
  return sum;
}

std::optional<RocCurve> roc_curve(const std::vector<bool>& positives, const Scores& scores) {
  const auto steps = steps_of(positives, scores);
  if (!has_both(steps)) return std::nullopt;
  RocCurve curve{{0.0}, {0.0}, {std::numeric_limits<double>::infinity()}};
  for (const Step& step : steps) {
    curve.false_positive_rate.push_back(ratio(step.negatives, steps.back().negatives));
    curve.true_positive_rate.push_back(ratio(step.positives, steps.back().positives));
    curve.threshold.push_back(step.threshold);
  }
  return curve;
}

std::optional<PrecisionRecallCurve> precision_recall_curve(const std::vector<bool>& positives,
                                                           const Scores& scores) {
  const auto steps = steps_of(positives, scores);
  if (!has_positives(steps)) return std::nullopt;
  PrecisionRecallCurve curve;
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    curve.precision.push_back(ratio(step->positives, step->positives + step->negatives));
    curve.recall.push_back(ratio(step->positives, steps.back().positives));
    curve.threshold.push_back(step->threshold);
  }
  curve.precision.push_back(1.0);
  curve.recall.push_back(0.0);
  return curve;
}

}  // namespace bcx::eval
