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

struct MetricOptions {
  DecisionRule rule;
};

/// All metrics that are defined, as (name, value), names as the tracker has them:
///   PREFIX.loss (mean cross-entropy of the logits), accuracy, balanced_accuracy,
///   majority_baseline, mcc, log_loss, ece, auc, precision, recall, f1; with two classes also
///   sensitivity, specificity, average_precision, brier, all of the positive class; with more, auc
///   is one-against-rest and the others are macro means; PREFIX.patient.accuracy,
///   balanced_accuracy, auc (from mean probabilities and the same rule), sensitivity, specificity
///   (two classes), majority_accuracy, and score: the mean over patients of the share of right
///   images (Spanhol et al. 2016). Only where groups are known.
/// `prefix` is `val`, `test`, ...; undefined metrics are absent. Of logits that are not all finite
/// only the loss is given.
std::vector<std::pair<std::string, double>> named_metrics(const Predictions& predictions,
                                                          std::string_view prefix,
                                                          const MetricOptions& options = {});

}  // namespace bcx::eval
