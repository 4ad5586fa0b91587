#include <algorithm>
#include <cmath>

#include "eval/checks.h"
#include "eval/metrics.h"

namespace bcx::eval {
namespace {

Metric share(std::int64_t part, std::int64_t whole) {
  if (whole == 0) return std::nullopt;
  return static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

DecisionCounts::DecisionCounts(int classes)
    : targets_(static_cast<std::size_t>(classes)),
      decisions_(targets_.size()),
      right_(targets_.size()) {}

void DecisionCounts::add_class(Label of_class, std::int64_t targets, std::int64_t decisions,
                               std::int64_t right) {
  targets_[index(of_class)] += targets;
  decisions_[index(of_class)] += decisions;
  right_[index(of_class)] += right;
  total_ += targets;
}

std::int64_t DecisionCounts::targets_of(int of_class) const {
  return targets_.at(index(of_class));
}
std::int64_t DecisionCounts::decisions_of(int of_class) const {
  return decisions_.at(index(of_class));
}
std::int64_t DecisionCounts::right_of(int of_class) const {
  return right_.at(index(of_class));
}

Confusion::Confusion(std::span<const Label> targets, std::span<const Label> decisions, int classes)
    : DecisionCounts(classes) {
  require_same_size(targets.size(), decisions.size());
  require_labels(targets, classes);
  require_labels(decisions, classes);
  std::vector<std::pair<Label, Label>> pairs;
  pairs.reserve(targets.size());
  for (std::size_t i = 0; i < targets.size(); ++i) {
    add(targets[i], decisions[i]);
    pairs.emplace_back(targets[i], decisions[i]);
  }
  std::sort(pairs.begin(), pairs.end());
  for (const auto& [target, decision] : pairs) {
    if (cells_.empty() || cells_.back().target != target || cells_.back().decision != decision)
      cells_.push_back({target, decision, 0});
    ++cells_.back().count;
  }
}

std::int64_t Confusion::count(int target, int decision) const {
  const auto found = std::lower_bound(cells_.begin(), cells_.end(), std::pair(target, decision),
                                      [](const Cell& cell, const auto& pair) {
                                        return std::pair(cell.target, cell.decision) < pair;
                                      });
  const bool there =
      found != cells_.end() && found->target == target && found->decision == decision;
  return there ? found->count : 0;
}

Metric DecisionCounts::accuracy() const {
  std::int64_t right = 0;
  for (const auto one : right_) right += one;
  return share(right, total());
}

Metric DecisionCounts::balanced_accuracy() const {
  double sum = 0.0;
  int present = 0;
  for (int k = 0; k < classes(); ++k) {
    if (const Metric one = recall(k)) {
      sum += *one;
      ++present;
    }
  }
  if (present == 0) return std::nullopt;
  return sum / present;
}

Metric DecisionCounts::majority_baseline() const {
  std::int64_t largest = 0;
  for (int k = 0; k < classes(); ++k) largest = std::max(largest, targets_of(k));
  return share(largest, total());
}

Metric DecisionCounts::precision(int of_class) const {
  return share(right_of(of_class), decisions_of(of_class));
}

Metric DecisionCounts::recall(int of_class) const {
  return share(right_of(of_class), targets_of(of_class));
}

Metric DecisionCounts::specificity(int of_class) const {
  const std::int64_t negatives = total() - targets_of(of_class);
  const std::int64_t false_positives = decisions_of(of_class) - right_of(of_class);
  return share(negatives - false_positives, negatives);
}

Metric DecisionCounts::f1(int of_class) const {
  return share(2 * right_of(of_class), targets_of(of_class) + decisions_of(of_class));
}

template <typename Of>
Metric DecisionCounts::macro(Of of) const {
  double sum = 0.0;
  int occurring = 0;
  for (int k = 0; k < classes(); ++k) {
    if (targets_of(k) + decisions_of(k) == 0) continue;
    sum += of(k).value_or(0.0);
    ++occurring;
  }
  if (occurring == 0) return std::nullopt;
  return sum / occurring;
}

Metric DecisionCounts::macro_precision() const {
  return macro([this](int k) { return precision(k); });
}
Metric DecisionCounts::macro_recall() const {
  return macro([this](int k) { return recall(k); });
}
Metric DecisionCounts::macro_f1() const {
  return macro([this](int k) { return f1(k); });
}

Metric DecisionCounts::mcc() const {
  if (total() == 0) return std::nullopt;
  // (c s - sum p t) / sqrt((s^2 - sum p^2)(s^2 - sum t^2)): c right, s all, p and t the margins.
  double right = 0.0, both = 0.0, decided = 0.0, targeted = 0.0;
  const auto all = static_cast<double>(total());
  for (int k = 0; k < classes(); ++k) {
    const auto t = static_cast<double>(targets_of(k)), p = static_cast<double>(decisions_of(k));
    right += static_cast<double>(right_of(k));
    both += p * t;
    decided += p * p;
    targeted += t * t;
  }
  const double product = (all * all - decided) * (all * all - targeted);
  return product > 0.0 ? (right * all - both) / std::sqrt(product) : 0.0;
}

}  // namespace bcx::eval
