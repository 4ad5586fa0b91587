#include "eval/scores.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace bcx::eval {

Probabilities::Probabilities(std::vector<double> values, int classes)
    : values_(std::move(values)), classes_(classes) {
  if (classes < 2) throw std::invalid_argument("fewer than two classes");
  if (values_.size() % static_cast<std::size_t>(classes) != 0)
    throw std::invalid_argument("probabilities are no whole number of rows");
}

Probabilities Probabilities::softmax(std::span<const float> logits, int classes) {
  const std::vector<double> wide(logits.begin(), logits.end());
  return softmax(std::span<const double>(wide), classes);
}

Probabilities Probabilities::softmax(std::span<const double> logits, int classes) {
  Probabilities result(std::vector<double>(logits.begin(), logits.end()), classes);
  for (std::size_t i = 0; i < result.size(); ++i) {
    const auto row =
        std::span(result.values_)
            .subspan(i * static_cast<std::size_t>(classes), static_cast<std::size_t>(classes));
    const double largest = *std::max_element(row.begin(), row.end());
    double sum = 0.0;
    for (double& value : row) sum += value = std::exp(value - largest);
    for (double& value : row) value /= sum;
  }
  return result;
}

std::span<const double> Probabilities::row(std::size_t sample) const {
  const auto width = static_cast<std::size_t>(classes_);
  return std::span(values_).subspan(sample * width, width);
}

Scores Probabilities::scores(int of_class) const {
  if (of_class < 0 || of_class >= classes_) throw std::invalid_argument("no such class");
  std::vector<double> column(size());
  for (std::size_t i = 0; i < column.size(); ++i)
    column[i] = row(i)[static_cast<std::size_t>(of_class)];
  return Scores(std::move(column));
}

std::vector<Label> decide(const Probabilities& probabilities, const DecisionRule& rule) {
  if (rule.threshold && (probabilities.classes() != 2 || rule.positive < 0 || rule.positive > 1))
    throw std::invalid_argument("a threshold needs two classes and one of them positive");
  std::vector<Label> decisions(probabilities.size());
  for (std::size_t i = 0; i < decisions.size(); ++i) {
    const auto row = probabilities.row(i);
    if (rule.threshold) {
      const bool positive = row[static_cast<std::size_t>(rule.positive)] >= *rule.threshold;
      decisions[i] = positive ? rule.positive : 1 - rule.positive;
    } else {
      decisions[i] = static_cast<Label>(std::max_element(row.begin(), row.end()) - row.begin());
    }
  }
  return decisions;
}

double cross_entropy(std::span<const float> logits_row, Label target) {
  if (target < 0 || static_cast<std::size_t>(target) >= logits_row.size())
    throw std::invalid_argument("a label is no class's index");
  const double largest = *std::max_element(logits_row.begin(), logits_row.end());
  double sum = 0.0;
  for (const float logit : logits_row) sum += std::exp(logit - largest);
  return std::log(sum) + largest - logits_row[static_cast<std::size_t>(target)];
}

}  // namespace bcx::eval
