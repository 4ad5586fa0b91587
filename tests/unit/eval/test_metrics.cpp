#include "eval/metrics.h"

#include <cmath>
#include <limits>

#include "eval/curves.h"
#include "tests/catch.h"

using namespace bcx::eval;

namespace {

/// Whole numbers 0 .. below - 1 from a fixed sequence (splitmix64), the same everywhere.
class Draw {
 public:
  explicit Draw(std::uint64_t seed) : state_(seed) {}
  std::int64_t operator()(std::int64_t below) {
    state_ += 0x9E3779B97F4A7C15ull;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return static_cast<std::int64_t>((z ^ (z >> 31)) % static_cast<std::uint64_t>(below));
  }

 private:
  std::uint64_t state_;
};

/// The definition, pair by pair.
Metric slow_auc(const std::vector<bool>& positives, std::span<const double> scores) {
  double won = 0.0, pairs = 0.0;
  for (std::size_t i = 0; i < positives.size(); ++i)
    for (std::size_t j = 0; j < positives.size(); ++j) {
      if (!positives[i] || positives[j]) continue;
      won += scores[i] > scores[j] ? 1.0 : scores[i] == scores[j] ? 0.5 : 0.0;
      pairs += 1.0;
    }
  if (pairs == 0.0) return std::nullopt;
  return won / pairs;
}

/// Area under roc_curve() by trapezoids: another way to the same number.
double trapezoids(const RocCurve& curve) {
  double area = 0.0;
  for (std::size_t i = 1; i < curve.threshold.size(); ++i)
    area += (curve.false_positive_rate[i] - curve.false_positive_rate[i - 1]) *
            (curve.true_positive_rate[i] + curve.true_positive_rate[i - 1]) / 2.0;
  return area;
}

}  // namespace

// An AUC of labels is the mistake that this library must not allow.
static_assert(!std::is_constructible_v<Scores, std::vector<Label>>);
static_assert(!std::is_constructible_v<Scores, std::vector<int>>);
static_assert(!std::is_constructible_v<Scores, std::vector<bool>>);
static_assert(!std::is_invocable_v<decltype(roc_auc), std::vector<bool>, std::vector<Label>>);
static_assert(!std::is_convertible_v<std::vector<double>, Scores>);

TEST_CASE("AUC equals its definition, with random ties") {
  Draw draw(1);
  for (int round = 0; round < 300; ++round) {
    const auto n = static_cast<std::size_t>(1 + draw(60));
    const std::int64_t levels = 1 + draw(20);
    std::vector<bool> positives(n);
    std::vector<double> values(n);
    for (std::size_t i = 0; i < n; ++i) {
      positives[i] = draw(3) == 0;
      values[i] = static_cast<double>(draw(levels)) / 7.0 - 1.0;
    }
    const Metric expected = slow_auc(positives, values), found = roc_auc(positives, Scores(values));
    REQUIRE(found.has_value() == expected.has_value());
    if (!found) continue;
    CHECK(*found == Approx(*expected).epsilon(0).margin(1e-15));
    CHECK(trapezoids(*roc_curve(positives, Scores(values))) ==
          Approx(*expected).epsilon(0).margin(1e-12));
  }
}

TEST_CASE("AUC at its edges") {
  const auto auc = [](std::vector<bool> positives, std::vector<double> values) {
    return roc_auc(positives, Scores(std::move(values)));
  };
  CHECK(auc({true, false}, {1.0, 0.0}) == 1.0);
  CHECK(auc({true, false}, {0.0, 1.0}) == 0.0);
  CHECK(auc({true, false, true, false}, {0.5, 0.5, 0.5, 0.5}) == 0.5);
  CHECK(auc({true, true}, {0.1, 0.2}) == std::nullopt);
  CHECK(auc({}, {}) == std::nullopt);
  const double inf = std::numeric_limits<double>::infinity();
  CHECK(auc({true, false, false}, {inf, 1.0, -inf}) == 1.0);
  CHECK(auc({true, false, true}, {std::nan(""), 0.0, 1.0}) == std::nullopt);
  CHECK_FALSE(roc_curve({true, false}, Scores(std::vector{std::nan(""), 0.0})));
  CHECK_FALSE(precision_recall_curve({true, false}, Scores(std::vector{std::nan(""), 0.0})));
  CHECK_THROWS_WITH(auc({true}, {1.0, 2.0}), "targets and predictions differ in number");
}

TEST_CASE("metrics of nothing are undefined") {
  const std::vector<Label> none;
  const Confusion confusion(none, none, 2);
  CHECK_FALSE(confusion.accuracy());
  CHECK_FALSE(confusion.balanced_accuracy());
  CHECK_FALSE(confusion.majority_baseline());
  CHECK_FALSE(confusion.mcc());
  CHECK_FALSE(confusion.macro_f1());
  CHECK_FALSE(log_loss(none, Probabilities({}, 2)));
  CHECK_FALSE(brier({}, Scores(std::vector<double>{})));
  CHECK_FALSE(expected_calibration_error(none, Probabilities({}, 2)));
}

TEST_CASE("the confusion matrix by hand") {
  const std::vector<Label> targets = {0, 0, 0, 1, 1, 2}, decisions = {0, 0, 1, 1, 0, 1};
  const Confusion confusion(targets, decisions, 4);
  CHECK(confusion.count(0, 1) == 1);
  CHECK(confusion.targets_of(0) == 3);
  CHECK(confusion.decisions_of(1) == 3);
  CHECK(confusion.accuracy() == 0.5);
  CHECK(confusion.majority_baseline() == 0.5);
  CHECK(*confusion.balanced_accuracy() == Approx((2.0 / 3 + 0.5 + 0.0) / 3));
  CHECK(*confusion.precision(1) == Approx(1.0 / 3));
  CHECK(*confusion.specificity(1) == Approx(0.5));
  CHECK(confusion.f1(2) == 0.0);
  CHECK_FALSE(confusion.precision(2));
  CHECK_FALSE(confusion.f1(3));
  // Class 3 occurs nowhere and does not count; class 2 counts with an undefined precision of 0.
  CHECK(*confusion.macro_precision() == Approx((2.0 / 3 + 1.0 / 3 + 0.0) / 3));
  CHECK(*confusion.macro_f1() == Approx((2.0 / 3 + 2.0 / 5 + 0.0) / 3));
}

TEST_CASE("labels that are no class are refused") {
  const std::vector<Label> good = {0, 1}, bad = {0, 2}, negative = {-1, 0};
  CHECK_THROWS_WITH(Confusion(bad, good, 2), "a label is no class's index");
  CHECK_THROWS_WITH(Confusion(good, negative, 2), "a label is no class's index");
  CHECK_THROWS_WITH(log_loss(bad, Probabilities({0.5, 0.5, 0.5, 0.5}, 2)),
                    "a label is no class's index");
}

TEST_CASE("log loss is clipped, and probability bins close on the right") {
  const std::vector<Label> targets = {0, 1};
  const double worst = -std::log(std::ldexp(1.0, -52));
  CHECK(*log_loss(targets, Probabilities({0.0, 1.0, 1.0, 0.0}, 2)) == Approx(worst).epsilon(1e-15));
  for (int bins : {1, 2, 3, 7, 10, 15, 49}) {
    for (int edge = (bins + 1) / 2; edge <= bins; ++edge) {
      const double p = static_cast<double>(edge) / bins;
      if (p < 0.5) continue;
      const std::vector<Label> one = {0};
      const auto curve = calibration_curve(one, Probabilities({p, 1.0 - p}, 2), bins);
      INFO(edge << " of " << bins);
      CHECK(curve[static_cast<std::size_t>(edge - 1)].count == 1);
    }
  }
}

TEST_CASE("a confusion matrix of many classes is that of its pairs") {
  Draw draw(5);
  constexpr int classes = 400;
  std::vector<Label> targets, decisions;
  std::vector<std::int64_t> counts(classes * classes);
  for (int i = 0; i < 3'000; ++i) {
    targets.push_back(static_cast<Label>(draw(classes)));
    decisions.push_back(draw(3) == 0 ? targets.back() : static_cast<Label>(draw(classes)));
    ++counts[static_cast<std::size_t>(targets.back() * classes + decisions.back())];
  }
  const Confusion confusion(targets, decisions, classes);
  CHECK(confusion.total() == 3'000);
  std::size_t occurring = 0;
  for (int t = 0; t < classes; ++t) {
    std::int64_t of_target = 0, of_decision = 0;
    for (int d = 0; d < classes; ++d) {
      const auto count = counts[static_cast<std::size_t>(t * classes + d)];
      of_target += count;
      of_decision += counts[static_cast<std::size_t>(d * classes + t)];
      occurring += count > 0;
      if (confusion.count(t, d) != count) FAIL("cell " << t << ", " << d);
    }
    CHECK(confusion.targets_of(t) == of_target);
    CHECK(confusion.decisions_of(t) == of_decision);
    CHECK(confusion.right_of(t) == confusion.count(t, t));
  }
  CHECK(confusion.cells().size() == occurring);
  // A million cells squared would not fit: only pairs that occur take memory.
  CHECK(
      Confusion(std::vector<Label>{999'999}, std::vector<Label>{3}, 1'000'000).count(999'999, 3) ==
      1);
}
