// Scores, probabilities and decisions: three things that must not be taken for one another.
//
// An AUC computed from hard labels is the classic mistake; here it does not compile.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace bcx::eval {

/// A class's index, 0 .. classes - 1.
using Label = std::int32_t;

/// One real number per sample; higher means more of the class in question. Made from floating-point
/// values alone: labels and decisions are no scores.
class Scores {
 public:
  explicit Scores(std::vector<double> values) : values_(std::move(values)) {}
  template <std::integral T>
  explicit Scores(std::vector<T>) = delete;

  std::span<const double> values() const { return values_; }
  std::size_t size() const { return values_.size(); }

 private:
  std::vector<double> values_;
};

/// Class probabilities, [samples, classes] in float64, row-major.
class Probabilities {
 public:
  /// Softmax over each row of logits [samples, classes] (float32, as they are stored), in float64
  /// with the row's maximum subtracted first. Not-a-number stays not-a-number.
  static Probabilities softmax(std::span<const float> logits, int classes);
  static Probabilities softmax(std::span<const double> logits, int classes);
  /// Rows that are probabilities already. std::invalid_argument when the size is no multiple of
  /// `classes`, or classes < 2.
  Probabilities(std::vector<double> values, int classes);

  int classes() const { return classes_; }
  std::size_t size() const { return values_.size() / static_cast<std::size_t>(classes_); }
  std::span<const double> row(std::size_t sample) const;
  /// The column of one class, as scores of that class.
  Scores scores(int of_class) const;

 private:
  std::vector<double> values_;
  int classes_;
};

/// How probabilities become classes.
struct DecisionRule {
  /// Without a value: the largest probability, the lower index winning a tie. With one (two classes
  /// only): positive when the positive class's probability >= threshold.
  std::optional<double> threshold;
  int positive = 1;
};

std::vector<Label> decide(const Probabilities& probabilities, const DecisionRule& rule = {});

/// log sum exp(row) - row[target], the cross-entropy of one sample in float64, from logits: finite
/// wherever they are.
double cross_entropy(std::span<const float> logits_row, Label target);

}  // namespace bcx::eval
