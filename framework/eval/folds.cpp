#include "eval/folds.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <stdexcept>

#include "eval/rank_correlation.h"
#include "eval/threshold.h"

namespace bcx::eval {
namespace {

/// Scores of the positive class beside what is true, fold after fold.
struct Fold {
  std::vector<bool> positives;
  std::vector<double> scores;
};

Fold scores_of(const Predictions& fold, int positive) {
  const auto p = Probabilities::softmax(fold.logits, fold.classes).scores(positive);
  Fold result{{}, {p.values().begin(), p.values().end()}};
  for (const auto target : fold.targets) result.positives.push_back(target == positive);
  return result;
}

double threshold_from_others(const std::vector<Fold>& folds, std::size_t own,
                             std::string_view rule) {
  Fold others;
  for (std::size_t i = 0; i < folds.size(); ++i) {
    if (i == own) continue;
    others.positives.insert(others.positives.end(), folds[i].positives.begin(),
                            folds[i].positives.end());
    others.scores.insert(others.scores.end(), folds[i].scores.begin(), folds[i].scores.end());
  }
  return choose_threshold(rule, others.positives, Scores(std::move(others.scores)));
}

/// Decisions as probabilities of 0 and 1: every figure of decisions comes out as it is.
Outcomes decided(const std::vector<Predictions>& folds, const FoldSummary& summary, int positive) {
  Outcomes all;
  const int classes = folds.front().classes;
  std::vector<double> rows;
  for (std::size_t i = 0; i < folds.size(); ++i) {
    const auto p = Probabilities::softmax(folds[i].logits, classes);
    for (const auto label : decide(p, {summary.thresholds[i], positive})) {
      rows.resize(rows.size() + static_cast<std::size_t>(classes), 0.0);
      rows[rows.size() - static_cast<std::size_t>(classes) + static_cast<std::size_t>(label)] = 1.0;
    }
    all.targets.insert(all.targets.end(), folds[i].targets.begin(), folds[i].targets.end());
    all.groups.insert(all.groups.end(), folds[i].groups.begin(), folds[i].groups.end());
  }
  all.scores = Probabilities(std::move(rows), classes);
  return all;
}

/// Within-fold ranks of the positive class as its scores.
Outcomes ranked(const std::vector<Predictions>& folds, const std::vector<Fold>& scores,
                int positive) {
  Outcomes all;
  all.kind = ScoreKind::rank;
  std::vector<double> rows;
  for (std::size_t i = 0; i < folds.size(); ++i) {
    for (const double rank : ranks_within(Scores(scores[i].scores)))
      for (int c = 0; c < 2; ++c) rows.push_back(c == positive ? rank : 1.0 - rank);
    all.targets.insert(all.targets.end(), folds[i].targets.begin(), folds[i].targets.end());
    all.groups.insert(all.groups.end(), folds[i].groups.begin(), folds[i].groups.end());
  }
  all.scores = Probabilities(std::move(rows), 2);
  return all;
}

bool has_both(const Fold& fold) {
  const auto n = std::count(fold.positives.begin(), fold.positives.end(), true);
  return n > 0 && n < std::ssize(fold.positives);
}

/// Figures that follow from decisions of single images alone.
bool of_decisions(std::string_view name) {
  static const std::set<std::string_view> others{"auc", "average_precision", "brier",
                                                 "ece", "log_loss",          "loss"};
  if (name.starts_with("patient."))  // the others take mean probabilities
    return name == "patient.majority_accuracy" || name == "patient.score";
  return !others.contains(name);
}

void pool(FoldSummary& summary, const std::vector<Predictions>& folds,
          const std::vector<Fold>& scores, int positive) {
  summary.decided = decided(folds, summary, positive);
  for (const auto& one : named_metrics(summary.decided, "", {{{}, positive}}))
    if (of_decisions(one.first)) summary.pooled.push_back(one);
  if (scores.empty() || !std::all_of(scores.begin(), scores.end(), has_both)) return;
  summary.ranked = ranked(folds, scores, positive);
  for (const auto& one : named_metrics(*summary.ranked, "", {{{}, positive}}))
    if (one.first == "auc" || one.first == "average_precision") summary.pooled.push_back(one);
}

}  // namespace

FoldFigure::FoldFigure(std::vector<std::pair<std::size_t, double>> of_folds)
    : values(std::move(of_folds)), sd(std::nan("")) {
  const auto n = static_cast<double>(values.size());
  for (const auto& [fold, value] : values) mean += value / n;
  double squares = 0;
  for (const auto& [fold, value] : values) squares += (value - mean) * (value - mean);
  if (values.size() > 1) sd = std::sqrt(squares / (n - 1));
}

std::vector<double> ranks_within(const Scores& scores) {
  auto ranks = midranks(scores.values());
  for (double& rank : ranks) rank = (rank + 0.5) / static_cast<double>(ranks.size());
  return ranks;
}

FoldSummary summarise_folds(const std::vector<Predictions>& folds, std::string_view rule,
                            int positive) {
  if (folds.empty()) throw std::invalid_argument("no fold");
  for (const auto& fold : folds) {
    require_consistent(fold);
    if (fold.classes != folds.front().classes) throw std::invalid_argument("other classes");
  }
  FoldSummary summary;
  summary.thresholds.resize(folds.size());
  std::vector<Fold> scores;
  if (folds.front().classes == 2) {
    for (const auto& fold : folds) scores.push_back(scores_of(fold, positive));
    for (std::size_t i = 0; i < folds.size(); ++i)
      summary.thresholds[i] = is_chosen(rule)
                                  ? threshold_from_others(scores, i, rule)
                                  : choose_threshold(rule, {}, Scores(std::vector<double>{}));
  }
  std::map<std::string, std::vector<std::pair<std::size_t, double>>> values;
  for (std::size_t i = 0; i < folds.size(); ++i)
    for (const auto& [name, value] :
         named_metrics(folds[i], "", {{summary.thresholds[i], positive}}))
      values[name].emplace_back(i, value);
  for (auto& [name, list] : values) summary.figures.emplace(name, std::move(list));
  pool(summary, folds, scores, positive);
  return summary;
}

}  // namespace bcx::eval
