#include "eval/compare.h"

#include "eval/curves.h"
#include "eval/threshold.h"
#include "study.h"
#include "tests/catch.h"

using namespace bcx::eval;
using bcx::test::study;

namespace {

const FigureDifference& figure(const Comparison& comparison, const std::string& name) {
  for (const auto& one : comparison.figures)
    if (one.name == name) return one;
  throw std::out_of_range(name);
}

/// The same samples with scores that say nothing.
Contender guesser(const Outcomes& outcomes) {
  const bcx::Stream stream(4, "guesses");
  std::vector<double> scores;
  for (std::size_t i = 0; i < outcomes.size(); ++i) scores.push_back(stream.uniform(i));
  return {bcx::test::outcomes_of(outcomes.targets, scores, outcomes.groups), {}};
}

constexpr BootstrapOptions few{.resamples = 1000, .seed = 1, .level = 0.95, .threads = 1};

}  // namespace

TEST_CASE("compare: a model beside a guess is established, beside itself it is not") {
  const auto outcomes = study(20, 30, 4, 1, 3.0);
  const std::vector<Contender> model{{outcomes, {}}}, guess{guesser(outcomes)};
  const auto better = compare(guess, model, few);
  CHECK(better.by_patient);
  CHECK(better.clusters == 50);
  CHECK(better.scarcest == 20);
  for (const char* name : {"auc", "accuracy", "patient.auc", "brier"}) {
    INFO(name);
    const auto& one = figure(better, name);
    CHECK(one.verdict == Verdict::established);
    CHECK(one.difference.estimate == Approx(one.second - one.first).margin(1e-12));
  }
  REQUIRE(figure(better, "auc").small_sample);
  CHECK(figure(better, "auc").small_sample->low > 0);
  CHECK(better.agreement.mcnemar->exact < 1e-4);
  CHECK(better.agreement.delong->p < 1e-4);

  const auto same = compare(model, model, few);
  for (const auto& one : same.figures) {
    CHECK(one.difference.estimate == 0.0);
    CHECK(one.verdict == Verdict::not_established);
  }
  CHECK(*same.agreement.share == 1.0);
  CHECK(*same.agreement.kappa == 1.0);
  CHECK(same.agreement.delong->p == 1.0);
}

TEST_CASE("compare: four patients of a class establish nothing") {
  const auto outcomes = study(4, 30, 10, 1, 5.0);
  const std::vector<Contender> model{{outcomes, {}}}, guess{guesser(outcomes)};
  for (const auto& one : compare(guess, model, few).figures) CHECK(one.verdict == Verdict::too_few);
}

TEST_CASE("compare: sides of several runs are compared by their means") {
  const auto outcomes = study(12, 12, 3, 1, 3.0);
  const auto other = study(12, 12, 3, 2, 2.0);
  const std::vector<Contender> two{{outcomes, {}}, {other, {}}}, guess{guesser(outcomes)};
  const auto result = compare(guess, two, few);
  const double first = figure(compare(guess, std::span(two).first(1), few), "auc").second;
  const double second = figure(compare(guess, std::span(two).last(1), few), "auc").second;
  CHECK(figure(result, "auc").second == Approx((first + second) / 2).epsilon(1e-14));
  CHECK_FALSE(figure(result, "auc").small_sample.has_value());
}

TEST_CASE("compare: other samples are refused") {
  const std::vector<Contender> a{{study(5, 5, 2, 1), {}}}, b{{study(5, 6, 2, 1), {}}};
  CHECK_THROWS_AS(compare(a, b, few), std::invalid_argument);
  CHECK_THROWS_AS(compare(a, {}, few), std::invalid_argument);
}

TEST_CASE("decision curve: net benefit by counting") {
  const std::vector<bool> positives{true, true, false, false, false};
  const Scores p(std::vector<double>{0.9, 0.3, 0.5, 0.2, 0.1});
  const auto curve = decision_curve(positives, p);
  REQUIRE(curve.size() == 99);
  CHECK(curve[49].threshold == 0.5);
  CHECK(curve[49].net_benefit == Approx(1.0 / 5 - 1.0 / 5));  // one each, odds 1
  CHECK(curve[49].treat_all == Approx(0.4 - 0.6));
  CHECK(curve[19].net_benefit == Approx(2.0 / 5 - 2.0 / 5 * 0.25));
  CHECK(curve[98].net_benefit == 0.0);
  CHECK(curve[0].net_benefit == Approx(curve[0].treat_all));
  CHECK(decision_curve({}, Scores(std::vector<double>{})).empty());
}

TEST_CASE("thresholds by specificity and by cost are the best there are") {
  const auto outcomes = study(10, 10, 5, 3);
  const auto positives = is_class(outcomes.targets, 1);
  const Scores scores = outcomes.scores.scores(1);
  const auto count = [&](double threshold, bool positive, bool called) {
    double n = 0;
    for (std::size_t i = 0; i < positives.size(); ++i)
      n += positives[i] == positive && (scores.values()[i] >= threshold) == called;
    return n;
  };
  const double chosen = choose_threshold("specificity>=0.9", positives, scores);
  CHECK(count(chosen, false, false) >= 0.9 * 50);
  for (const double cost : {0.2, 1.0, 7.0}) {
    const auto total = [&](double t) {
      return cost * count(t, true, false) + count(t, false, true);
    };
    const double best = choose_threshold("cost=" + std::to_string(cost), positives, scores);
    for (const double other : scores.values()) {
      CHECK(total(best) <= total(other) + 1e-9);
      if (other < chosen) CHECK(count(other, false, false) < 0.9 * 50);
    }
  }
  // A false alarm that costs a thousand misses: nothing is called positive.
  CHECK(std::isinf(choose_threshold("cost=0.001", {true, false}, Scores(std::vector{0.1, 0.9}))));
}

TEST_CASE("compare_folds: means over the folds, patients drawn from all of them") {
  const auto named = [](bcx::eval::Outcomes outcomes, const std::string& fold) {
    for (auto& group : outcomes.groups) group += fold;
    return outcomes;
  };
  std::vector<Contender> model, guess;
  for (const auto& [fold, patients] : {std::pair{"a", 10}, std::pair{"b", 14}, std::pair{"c", 8}}) {
    model.push_back({named(study(patients, patients + 4, 4, 7, 3.0), fold), {}});
    guess.push_back(guesser(model.back().outcomes));
  }
  const auto found = compare_folds(guess, model, few);
  CHECK(found.clusters == 14 + 18 + 12 + 32);
  CHECK(found.scarcest == 32);
  double first = 0.0, second = 0.0;
  for (std::size_t i = 0; i < 3; ++i) {
    const auto auc = [](const Contender& one) {
      return *roc_auc(is_class(one.outcomes.targets, 1), one.outcomes.scores.scores(1));
    };
    first += auc(guess[i]) / 3.0;
    second += auc(model[i]) / 3.0;
  }
  const auto& one = figure(found, "auc");
  CHECK(one.first == Approx(first).margin(1e-12));
  CHECK(one.second == Approx(second).margin(1e-12));
  CHECK(one.difference.estimate == Approx(second - first).margin(1e-12));
  CHECK(one.verdict == Verdict::established);
  CHECK(!one.small_sample);
  CHECK(!found.agreement.delong);
  figure(found, "patient.auc");
  // More patients say more: one fold alone has the wider interval.
  const auto alone = compare(std::span(guess).first(1), std::span(model).first(1), few);
  const auto width = [](const FigureDifference& of) {
    return of.difference.percentile->high - of.difference.percentile->low;
  };
  CHECK(width(one) < width(figure(alone, "auc")));
}

TEST_CASE("compare_folds: one fold is compare, other folds are refused") {
  const auto outcomes = study(10, 12, 4, 3, 2.0);
  const std::vector<Contender> model{{outcomes, {}}}, guess{guesser(outcomes)};
  const auto folds = compare_folds(guess, model, few), plain = compare(guess, model, few);
  REQUIRE(folds.figures.size() == plain.figures.size());
  for (std::size_t i = 0; i < plain.figures.size(); ++i) {
    CHECK(folds.figures[i].difference.estimate == plain.figures[i].difference.estimate);
    CHECK(folds.figures[i].difference.percentile->low ==
          plain.figures[i].difference.percentile->low);
    CHECK(folds.figures[i].small_sample.has_value() == plain.figures[i].small_sample.has_value());
  }
  const std::vector<Contender> two{{outcomes, {}}, {outcomes, {}}};
  CHECK_THROWS_AS(compare_folds(two, model, few), std::invalid_argument);
  CHECK_THROWS_AS(compare_folds(model, std::vector<Contender>{{study(9, 12, 4, 4, 2.0), {}}}, few),
                  std::invalid_argument);
}
