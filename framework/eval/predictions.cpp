#include "eval/predictions.h"

#include <algorithm>
#include <map>

#include "eval/checks.h"
#include "eval/temperature.h"

namespace bcx::eval {
namespace {

/// What is summed over a patient's images.
struct Sums {
  std::int64_t images = 0, right = 0;
  std::vector<double> probability;
  std::vector<std::int64_t> votes;
};

/// The class with most votes; among equals the one of larger probability, then the lower index.
Label majority_of(const Sums& sums) {
  std::size_t best = 0;
  for (std::size_t k = 1; k < sums.votes.size(); ++k) {
    const auto key = [&](std::size_t c) { return std::pair(sums.votes[c], sums.probability[c]); };
    if (key(k) > key(best)) best = k;
  }
  return static_cast<Label>(best);
}

std::map<std::pair<std::string, Label>, Sums> sum_up(const Outcomes& outcomes,
                                                     const DecisionRule& rule) {
  const auto decisions = decide(outcomes.scores, rule);
  const auto classes = static_cast<std::size_t>(outcomes.classes());
  std::map<std::pair<std::string, Label>, Sums> patients;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    Sums& sums = patients[{outcomes.groups[i], outcomes.targets[i]}];
    sums.probability.resize(classes);
    sums.votes.resize(classes);
    ++sums.images;
    sums.right += decisions[i] == outcomes.targets[i];
    ++sums.votes[static_cast<std::size_t>(decisions[i])];
    for (std::size_t k = 0; k < classes; ++k) sums.probability[k] += outcomes.scores.row(i)[k];
  }
  return patients;
}

}  // namespace

void require_consistent(const Predictions& predictions) {
  const std::size_t samples = predictions.size();
  if (predictions.classes < 2) throw std::invalid_argument("predictions of fewer than two classes");
  if (predictions.logits.size() != samples * static_cast<std::size_t>(predictions.classes))
    throw std::invalid_argument(
        "predictions hold another number of logits than samples times classes");
  if (!predictions.groups.empty() && predictions.groups.size() != samples)
    throw std::invalid_argument("predictions hold another number of groups than samples");
  if (!predictions.ids.empty() && predictions.ids.size() != samples)
    throw std::invalid_argument("predictions hold another number of ids than samples");
  require_labels(predictions.targets, predictions.classes);
}

Outcomes outcomes_of(const Predictions& predictions, double temperature) {
  require_consistent(predictions);
  auto scores = temperature == 1.0
                    ? Probabilities::softmax(predictions.logits, predictions.classes)
                    : tempered(predictions.logits, predictions.classes, temperature);
  return {predictions.targets, std::move(scores), predictions.groups, ScoreKind::probability};
}

void require_consistent(const Outcomes& outcomes) {
  require_same_size(outcomes.size(), outcomes.scores.size());
  if (!outcomes.groups.empty() && outcomes.groups.size() != outcomes.size())
    throw std::invalid_argument("predictions hold another number of groups than samples");
  require_labels(outcomes.targets, outcomes.classes());
}

bool is_decided(const Outcomes& outcomes, const DecisionRule& rule) {
  return outcomes.kind == ScoreKind::probability || outcomes.classes() > 2 || rule.threshold;
}

PatientPredictions by_patient(const Predictions& predictions, const DecisionRule& rule) {
  return by_patient(outcomes_of(predictions), rule);
}

PatientPredictions by_patient(const Outcomes& outcomes, const DecisionRule& rule) {
  require_consistent(outcomes);
  PatientPredictions result;
  if (outcomes.groups.empty()) return result;
  for (const auto& [key, sums] : sum_up(outcomes, rule)) {
    const auto images = static_cast<double>(sums.images);
    result.groups.push_back(key.first);
    result.targets.push_back(key.second);
    result.images.push_back(sums.images);
    for (const double sum : sums.probability) result.mean.push_back(sum / images);
    result.majority.push_back(majority_of(sums));
    result.right.push_back(static_cast<double>(sums.right) / images);
  }
  return result;
}

}  // namespace bcx::eval
