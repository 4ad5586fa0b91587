#include "eval/stored_curves.h"

#include "eval/curves.h"
#include "eval/metrics.h"

namespace bcx::eval {
namespace {

StoredCurve calibration_of(const Outcomes& outcomes) {
  StoredCurve curve{"calibration", "confidence", "accuracy", {}, {}};
  for (const auto& bin : calibration_curve(outcomes.targets, outcomes.scores)) {
    if (bin.count == 0) continue;
    curve.x.push_back(bin.confidence);
    curve.y.push_back(bin.accuracy);
  }
  return curve;
}

StoredCurve decision_of(const std::vector<bool>& positives, const Scores& scores) {
  StoredCurve curve{"decision", "threshold", "net_benefit", {}, {}};
  for (const auto& point : decision_curve(positives, scores)) {
    curve.x.push_back(point.threshold);
    curve.y.push_back(point.net_benefit);
  }
  return curve;
}

}  // namespace

std::vector<StoredCurve> stored_curves(const Outcomes& outcomes, int positive) {
  std::vector<StoredCurve> curves{calibration_of(outcomes)};
  if (outcomes.classes() != 2) return curves;
  const auto positives = is_class(outcomes.targets, positive);
  const auto scores = outcomes.scores.scores(positive);
  if (auto roc = roc_curve(positives, scores))
    curves.push_back({"roc", "false_positive_rate", "true_positive_rate",
                      std::move(roc->false_positive_rate), std::move(roc->true_positive_rate)});
  if (auto pr = precision_recall_curve(positives, scores))
    curves.push_back(
        {"pr", "recall", "precision", std::move(pr->recall), std::move(pr->precision)});
  curves.push_back(decision_of(positives, scores));
  return curves;
}

}  // namespace bcx::eval
