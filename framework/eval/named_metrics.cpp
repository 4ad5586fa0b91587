#include <algorithm>
#include <cmath>
#include <numeric>

#include "eval/predictions.h"

namespace bcx::eval {
namespace {

/// The list in the making: undefined metrics are left out.
class Names {
 public:
  explicit Names(std::string_view prefix) : prefix_(prefix) {
    if (!prefix_.empty()) prefix_ += '.';
  }
  void add(const char* name, const Metric& value) {
    if (value) list.emplace_back(prefix_ + name, *value);
  }
  std::vector<std::pair<std::string, double>> list;

 private:
  std::string prefix_;
};

Metric auc_of(std::span<const Label> targets, const Probabilities& probabilities, int positive) {
  if (probabilities.classes() > 2) return roc_auc_macro(targets, probabilities);
  return roc_auc(is_class(targets, positive), probabilities.scores(positive));
}

Metric mean(std::span<const double> values) {
  if (values.empty()) return std::nullopt;
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

Metric mean_cross_entropy(const Predictions& predictions) {
  const auto classes = static_cast<std::size_t>(predictions.classes);
  std::vector<double> losses(predictions.size());
  for (std::size_t i = 0; i < losses.size(); ++i)
    losses[i] = cross_entropy(std::span(predictions.logits).subspan(i * classes, classes),
                              predictions.targets[i]);
  return mean(losses);
}

void add_decisions(Names& names, const DecisionCounts& counts, int positive) {
  names.add("accuracy", counts.accuracy());
  names.add("balanced_accuracy", counts.balanced_accuracy());
  names.add("majority_baseline", counts.majority_baseline());
  names.add("mcc", counts.mcc());
  if (counts.classes() > 2) {
    names.add("precision", counts.macro_precision());
    names.add("recall", counts.macro_recall());
    names.add("f1", counts.macro_f1());
    return;
  }
  names.add("precision", counts.precision(positive));
  names.add("recall", counts.recall(positive));
  names.add("f1", counts.f1(positive));
  names.add("sensitivity", counts.recall(positive));
  names.add("specificity", counts.specificity(positive));
}

void add_scores(Names& names, const Outcomes& outcomes, int positive) {
  const auto& [targets, scores, groups, kind] = outcomes;
  const bool probabilities = kind == ScoreKind::probability;
  names.add("auc", auc_of(targets, scores, positive));
  if (probabilities) {
    names.add("log_loss", log_loss(targets, scores));
    names.add("ece", expected_calibration_error(targets, scores));
  }
  if (outcomes.classes() > 2) return;
  names.add("average_precision",
            average_precision(is_class(targets, positive), scores.scores(positive)));
  if (probabilities)
    names.add("brier", brier(is_class(targets, positive), scores.scores(positive)));
}

void add_patient_decisions(Names& names, const PatientPredictions& patients,
                           const Probabilities& means, const DecisionRule& rule) {
  const int classes = means.classes();
  const Confusion confusion(patients.targets, decide(means, rule), classes);
  names.add("patient.accuracy", confusion.accuracy());
  names.add("patient.balanced_accuracy", confusion.balanced_accuracy());
  if (classes == 2) {
    names.add("patient.sensitivity", confusion.recall(rule.positive));
    names.add("patient.specificity", confusion.specificity(rule.positive));
  }
  names.add("patient.majority_accuracy",
            Confusion(patients.targets, patients.majority, classes).accuracy());
  names.add("patient.score", mean(patients.right));
}

void add_outcomes(Names& names, const Outcomes& outcomes, const DecisionRule& rule) {
  const bool decided = is_decided(outcomes, rule);
  if (decided)
    add_decisions(names,
                  Confusion(outcomes.targets, decide(outcomes.scores, rule), outcomes.classes()),
                  rule.positive);
  add_scores(names, outcomes, rule.positive);
  if (outcomes.groups.empty()) return;
  const auto patients = by_patient(outcomes, rule);
  const Probabilities means(patients.mean, outcomes.classes());
  names.add("patient.auc", auc_of(patients.targets, means, rule.positive));
  if (decided) add_patient_decisions(names, patients, means, rule);
}

bool all_finite(std::span<const float> logits) {
  return std::all_of(logits.begin(), logits.end(),
                     [](float logit) { return std::isfinite(logit); });
}

}  // namespace

std::vector<std::pair<std::string, double>> named_metrics(const Predictions& predictions,
                                                          std::string_view prefix,
                                                          const MetricOptions& options) {
  require_consistent(predictions);
  Names names(prefix);
  names.add("loss", mean_cross_entropy(predictions));
  // A diverged model has neither classes nor ranks; its loss says so.
  if (!all_finite(predictions.logits)) return names.list;
  add_outcomes(names, outcomes_of(predictions, options.temperature), options.rule);
  return names.list;
}

std::vector<std::pair<std::string, double>> named_metrics(const Outcomes& outcomes,
                                                          std::string_view prefix,
                                                          const MetricOptions& options) {
  require_consistent(outcomes);
  Names names(prefix);
  add_outcomes(names, outcomes, options.rule);
  return names.list;
}

}  // namespace bcx::eval
