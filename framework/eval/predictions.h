// From stored predictions to the named metrics of the tracker, per image and per patient.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "eval/metrics.h"
#include "eval/scores.h"

namespace bcx::eval {

/// What an evaluation stores of each sample; everything else is computed from it, now or later.
/// Vectors are aligned; `groups` may be empty (no patients known).
struct Predictions {
  int classes = 2;
  std::vector<std::uint64_t> ids;   ///< sample ids; not used by metrics
  std::vector<std::string> groups;  ///< the patient (data.patient's attribute) of each sample
  std::vector<Label> targets;
  std::vector<float> logits;  ///< [samples, classes], row-major

  std::size_t size() const { return targets.size(); }
};

/// Throws std::invalid_argument, saying what, when lengths do not fit or a target is no class.
void require_consistent(const Predictions& predictions);

/// What a row of scores is.
enum class ScoreKind {
  probability,  ///< within [0, 1], summing to 1
  rank,         ///< any number, higher means more: an order, and nothing for losses or calibration
};

/// Targets beside scores in float64: what every figure is computed from. Made from stored logits,
/// or from a file of anybody's predictions. Vectors are aligned; `groups` may be empty.
struct Outcomes {
  std::vector<Label> targets;
  Probabilities scores{std::vector<double>{}, 2};
  std::vector<std::string> groups;
  ScoreKind kind = ScoreKind::probability;

  std::size_t size() const { return targets.size(); }
  int classes() const { return scores.classes(); }
};
/// softmax(logits / temperature); see temperature.h.
Outcomes outcomes_of(const Predictions& predictions, double temperature = 1.0);
/// As require_consistent(Predictions).
void require_consistent(const Outcomes& outcomes);

/// Whether scores become classes under the rule: always, but for ranks of two classes without a
/// threshold, where 0 need not divide them.
bool is_decided(const Outcomes& outcomes, const DecisionRule& rule);

/// Predictions summed up by patient. A patient whose images carry different targets (a data set may
/// hold benign and malignant tissue of one person) counts once per target.
struct PatientPredictions {
  std::vector<std::string> groups;  ///< sorted; once per (group, target)
  std::vector<Label> targets;
  std::vector<std::int64_t> images;  ///< images of each
  std::vector<double> mean;          ///< mean probability, [patients, classes]
  std::vector<Label>
      majority;               ///< most frequent decision; a tie goes to the larger mean probability
  std::vector<double> right;  ///< share of its images decided rightly
};
PatientPredictions by_patient(const Predictions& predictions, const DecisionRule& rule = {});
PatientPredictions by_patient(const Outcomes& outcomes, const DecisionRule& rule = {});

struct MetricOptions {
  DecisionRule rule;
  double temperature = 1.0;  ///< of probabilities that are made from logits; not of the loss
};

/// All metrics that are defined, as (name, value), names as the tracker has them:
///   PREFIX.loss (mean cross-entropy of the logits), accuracy, balanced_accuracy,
///   majority_baseline, mcc, log_loss, ece, auc, precision, recall, f1; with two classes also
///   sensitivity, specificity, average_precision, brier, all of the positive class; with more, auc
///   is one-against-rest and the others are macro means; PREFIX.patient.accuracy,
///   balanced_accuracy, auc (from mean probabilities and the same rule), sensitivity, specificity
///   (two classes), majority_accuracy, and score: the mean over patients of the share of right
///   images (Spanhol et al. 2016). Only where groups are known.
/// `prefix` is `val`, `test`, ... (empty: bare names); undefined metrics are absent. Of logits that
/// are not all finite only the loss is given.
std::vector<std::pair<std::string, double>> named_metrics(const Predictions& predictions,
                                                          std::string_view prefix,
                                                          const MetricOptions& options = {});
/// The same but for the loss, which needs logits; of ranks what an order and decisions give.
std::vector<std::pair<std::string, double>> named_metrics(const Outcomes& outcomes,
                                                          std::string_view prefix,
                                                          const MetricOptions& options = {});

}  // namespace bcx::eval
