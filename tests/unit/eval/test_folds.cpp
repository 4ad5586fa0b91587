#include <cmath>
#include <map>
#include <random>

#include "base/error.h"
#include "eval/folds.h"
#include "eval/threshold.h"
#include "tests/catch.h"

using namespace bcx::eval;

namespace {

/// Fold of `size` samples whose model's scores lie `shift` higher than others': three patients.
Predictions fold_of(unsigned seed, std::size_t size, double shift) {
  std::mt19937 random(seed);
  std::normal_distribution<double> noise;
  Predictions fold;
  for (std::size_t i = 0; i < size; ++i) {
    const int target = i % 3 == 0 ? 0 : 1;
    fold.targets.push_back(target);
    fold.groups.push_back(std::to_string(seed) + "-" + std::to_string(i % 5) + "-" +
                          std::to_string(target));
    fold.logits.push_back(0.0f);
    fold.logits.push_back(static_cast<float>(shift + target + noise(random)));
  }
  return fold;
}

std::map<std::string, double> named(const std::vector<std::pair<std::string, double>>& list) {
  return {list.begin(), list.end()};
}

std::vector<bool> positives_of(const Predictions& fold) {
  return {fold.targets.begin(), fold.targets.end()};
}

}  // namespace

TEST_CASE("a fold's threshold is chosen on the other folds alone") {
  std::vector<Predictions> folds{fold_of(1, 30, 0.0), fold_of(2, 33, 0.5), fold_of(3, 27, -1.0)};
  const auto before = summarise_folds(folds, "youden", 1);
  for (auto& logit : folds[1].logits) logit *= 3.0f;  // another model in fold 1
  const auto after = summarise_folds(folds, "youden", 1);
  CHECK(before.thresholds[1] == after.thresholds[1]);
  CHECK(before.thresholds[0] != after.thresholds[0]);

  auto positives = positives_of(folds[0]);
  const auto third = positives_of(folds[2]);
  positives.insert(positives.end(), third.begin(), third.end());
  std::vector<float> logits = folds[0].logits;
  logits.insert(logits.end(), folds[2].logits.begin(), folds[2].logits.end());
  CHECK(after.thresholds[1] ==
        choose_threshold("youden", positives, Probabilities::softmax(logits, 2).scores(1)));
}

TEST_CASE("figures over folds are the mean and the spread of each fold's own") {
  const std::vector<Predictions> folds{fold_of(4, 30, 0.0), fold_of(5, 24, 0.0)};
  const auto summary = summarise_folds(folds, "0.5", 1);
  const auto a = named(named_metrics(folds[0], "", {{0.5, 1}}));
  const auto b = named(named_metrics(folds[1], "", {{0.5, 1}}));
  const auto& auc = summary.figures.at("auc");
  CHECK(auc.mean == Approx((a.at("auc") + b.at("auc")) / 2));
  CHECK(auc.sd == Approx(std::abs(a.at("auc") - b.at("auc")) / std::sqrt(2.0)));
  CHECK(summary.figures.at("patient.auc").values.size() == 2);
}

TEST_CASE("pooled figures are blind to a fold's scale of scores") {
  std::vector<Predictions> folds{fold_of(6, 60, 0.0), fold_of(7, 60, 0.0)};
  const auto before = named(summarise_folds(folds, "0.5", 1).pooled);
  for (std::size_t i = 1; i < folds[1].logits.size(); i += 2) folds[1].logits[i] += 4.0f;
  const auto after = named(summarise_folds(folds, "0.5", 1).pooled);
  CHECK(after.at("auc") == before.at("auc"));
  // The decisions at 0.5 are not, and their pooled figure is that of all images together.
  std::size_t right = 0;
  for (const auto& fold : folds)
    for (std::size_t i = 0; i < fold.size(); ++i)
      right += (fold.logits[2 * i + 1] >= 0) == (fold.targets[i] == 1);
  CHECK(after.at("accuracy") == Approx(static_cast<double>(right) / 120));
  for (const auto* absent : {"log_loss", "ece", "brier", "patient.auc", "patient.accuracy"})
    CHECK(after.count(absent) == 0);
}

TEST_CASE("a fold with one class is left out of what is undefined in it") {
  std::vector<Predictions> folds{fold_of(8, 30, 0.0), fold_of(9, 30, 0.0), fold_of(10, 12, 0.0)};
  std::fill(folds[2].targets.begin(), folds[2].targets.end(), 1);
  const auto summary = summarise_folds(folds, "youden", 1);
  CHECK(summary.figures.at("auc").values.size() == 2);
  CHECK(summary.figures.at("accuracy").values.size() == 3);
  CHECK(named(summary.pooled).count("auc") == 0);
  CHECK(named(summary.pooled).count("accuracy") == 1);
}

TEST_CASE("more than two classes have figures and no threshold") {
  Predictions fold;
  fold.classes = 3;
  fold.targets = {0, 1, 2, 0};
  fold.logits = {3, 0, 0, 0, 3, 0, 0, 0, 3, 0, 3, 0};
  const auto summary = summarise_folds({fold, fold}, "0.5", 1);
  CHECK_FALSE(summary.thresholds[0]);
  CHECK(named(summary.pooled).at("accuracy") == Approx(0.75));
}

TEST_CASE("ranks within a fold keep order and ties") {
  CHECK(ranks_within(Scores(std::vector<double>{5.0, 1.0, 5.0, 9.0})) ==
        std::vector<double>{0.5, 0.125, 0.5, 0.875});
  CHECK(ranks_within(Scores(std::vector<double>{})).empty());
  // A network that diverged has no ranks at all, rather than some order.
  for (const double rank : ranks_within(Scores(std::vector<double>{1.0, std::nan(""), 2.0})))
    CHECK(std::isnan(rank));
}
