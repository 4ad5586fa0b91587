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

Confusion::Confusion(std::span<const Label> targets, std::span<const Label> decisions, int classes)
    : classes_(classes),
      counts_(static_cast<std::size_t>(classes) * static_cast<std::size_t>(classes)) {
  require_same_size(targets.size(), decisions.size());
  require_labels(targets, classes);
  require_labels(decisions, classes);
  for (std::size_t i = 0; i < targets.size(); ++i)
    ++counts_[static_cast<std::size_t>(targets[i]) * static_cast<std::size_t>(classes) +
              static_cast<std::size_t>(decisions[i])];
}

Confusion::Confusion(std::vector<std::int64_t> counts, int classes)
    : classes_(classes), counts_(std::move(counts)) {
  if (classes < 2 ||
      counts_.size() != static_cast<std::size_t>(classes) * static_cast<std::size_t>(classes))
    throw std::invalid_argument("a confusion matrix is not classes by classes");
}

std::int64_t Confusion::count(int target, int decision) const {
  return counts_.at(static_cast<std::size_t>(target * classes_ + decision));
}

std::int64_t Confusion::total() const {
  std::int64_t sum = 0;
  for (const std::int64_t count : counts_) sum += count;
  return sum;
}

std::int64_t Confusion::targets_of(int of_class) const {
  std::int64_t sum = 0;
  for (int k = 0; k < classes_; ++k) sum += count(of_class, k);
  return sum;
}

std::int64_t Confusion::decisions_of(int of_class) const {
  std::int64_t sum = 0;
  for (int k = 0; k < classes_; ++k) sum += count(k, of_class);
  return sum;
}

Metric Confusion::accuracy() const {
  std::int64_t right = 0;
  for (int k = 0; k < classes_; ++k) right += count(k, k);
  return share(right, total());
}

Metric Confusion::balanced_accuracy() const {
  double sum = 0.0;
  int present = 0;
  for (int k = 0; k < classes_; ++k) {
    if (const Metric one = recall(k)) {
      sum += *one;
      ++present;
    }
  }
  if (present == 0) return std::nullopt;
  return sum / present;
}

Metric Confusion::majority_baseline() const {
  std::int64_t largest = 0;
  for (int k = 0; k < classes_; ++k) largest = std::max(largest, targets_of(k));
  return share(largest, total());
}

Metric Confusion::precision(int of_class) const {
  return share(count(of_class, of_class), decisions_of(of_class));
}

Metric Confusion::recall(int of_class) const {
  return share(count(of_class, of_class), targets_of(of_class));
}

Metric Confusion::specificity(int of_class) const {
  const std::int64_t negatives = total() - targets_of(of_class);
  const std::int64_t false_positives = decisions_of(of_class) - count(of_class, of_class);
  return share(negatives - false_positives, negatives);
}

Metric Confusion::f1(int of_class) const {
  return share(2 * count(of_class, of_class), targets_of(of_class) + decisions_of(of_class));
}

template <typename Of>
Metric Confusion::macro(Of of) const {
  double sum = 0.0;
  int occurring = 0;
  for (int k = 0; k < classes_; ++k) {
    if (targets_of(k) + decisions_of(k) == 0) continue;
    sum += of(k).value_or(0.0);
    ++occurring;
  }
  if (occurring == 0) return std::nullopt;
  return sum / occurring;
}

Metric Confusion::macro_precision() const {
  return macro([this](int k) { return precision(k); });
}
Metric Confusion::macro_recall() const {
  return macro([this](int k) { return recall(k); });
}
Metric Confusion::macro_f1() const {
  return macro([this](int k) { return f1(k); });
}

Metric Confusion::mcc() const {
  if (total() == 0) return std::nullopt;
  // (c s - sum p t) / sqrt((s^2 - sum p^2)(s^2 - sum t^2)): c right, s all, p and t the margins.
  double right = 0.0, both = 0.0, decided = 0.0, targeted = 0.0;
  const auto all = static_cast<double>(total());
  for (int k = 0; k < classes_; ++k) {
    const auto t = static_cast<double>(targets_of(k)), p = static_cast<double>(decisions_of(k));
    right += static_cast<double>(count(k, k));
    both += p * t;
    decided += p * p;
    targeted += t * t;
  }
  const double product = (all * all - decided) * (all * all - targeted);
  return product > 0.0 ? (right * all - both) / std::sqrt(product) : 0.0;
}

}  // namespace bcx::eval
