// scikit-learn's answers on random predictions with ties, one class only, few samples, three
// classes.

#include <fstream>
#include <nlohmann/json.hpp>

#include "eval/curves.h"
#include "eval/metrics.h"
#include "tests/catch.h"

using namespace bcx::eval;
using nlohmann::json;

namespace {

std::size_t compared = 0;

void check_equal(const char* name, const Metric& ours, const json& theirs) {
  INFO(name);
  ++compared;
  REQUIRE(ours.has_value() == !theirs.is_null());
  if (ours) CHECK(*ours == Approx(theirs.get<double>()).epsilon(0).margin(1e-12));
}

void check_equal(const char* name, const std::vector<double>& ours, const json& theirs) {
  INFO(name);
  ++compared;
  REQUIRE(ours.size() == theirs.size());
  for (std::size_t i = 0; i < ours.size(); ++i)
    CHECK(ours[i] == Approx(theirs[i].get<double>()).epsilon(0).margin(1e-12));
}

struct Case {
  explicit Case(const json& data)
      : targets(data.at("target").get<std::vector<Label>>()),
        probabilities(rows(data.at("probability"))) {}
  static Probabilities rows(const json& data) {
    std::vector<double> values;
    for (const auto& row : data)
      for (const double value : row) values.push_back(value);
    return {std::move(values), static_cast<int>(data.at(0).size())};
  }
  std::vector<Label> targets;
  Probabilities probabilities;
};

void check_decisions(const Case& one, const json& expected) {
  const Confusion confusion(one.targets, decide(one.probabilities), one.probabilities.classes());
  for (int t = 0; t < confusion.classes(); ++t)
    for (int d = 0; d < confusion.classes(); ++d)
      CHECK(confusion.count(t, d) == expected["confusion"][t][d]);
  check_equal("accuracy", confusion.accuracy(), expected["accuracy"]);
  check_equal("balanced_accuracy", confusion.balanced_accuracy(), expected["balanced_accuracy"]);
  check_equal("mcc", confusion.mcc(), expected["mcc"]);
  for (int k = 0; k < confusion.classes(); ++k) {
    check_equal("precision", confusion.precision(k), expected["precision"][k]);
    check_equal("recall", confusion.recall(k), expected["recall"][k]);
    check_equal("f1", confusion.f1(k), expected["f1"][k]);
  }
  if (confusion.classes() == 2)
    check_equal("specificity", confusion.specificity(1), expected["specificity"]);
}

void check_probabilities(const Case& one, const json& expected) {
  check_equal("log_loss", log_loss(one.targets, one.probabilities), expected["log_loss"]);
  check_equal("ece", expected_calibration_error(one.targets, one.probabilities), expected["ece"]);
  if (one.probabilities.classes() > 2)
    check_equal("roc_auc_ovr_macro", roc_auc_macro(one.targets, one.probabilities),
                expected["roc_auc_ovr_macro"]);
}

void check_binary_scores(const Case& one, const json& expected) {
  const auto positives = is_class(one.targets, 1);
  const Scores scores = one.probabilities.scores(1);
  check_equal("roc_auc", roc_auc(positives, scores), expected["roc_auc"]);
  check_equal("average_precision", average_precision(positives, scores),
              expected["average_precision"]);
  check_equal("brier", brier(positives, scores), expected["brier"]);
  const auto roc = roc_curve(positives, scores);
  REQUIRE(roc.has_value() == expected.contains("roc"));
  if (!roc) return;
  check_equal("fpr", roc->false_positive_rate, expected["roc"]["fpr"]);
  check_equal("tpr", roc->true_positive_rate, expected["roc"]["tpr"]);
  const auto pr = precision_recall_curve(positives, scores);
  REQUIRE(pr);
  check_equal("pr precision", pr->precision, expected["pr"]["precision"]);
  check_equal("pr recall", pr->recall, expected["pr"]["recall"]);
  CHECK(pr->threshold.size() + 1 == pr->recall.size());
}

}  // namespace

TEST_CASE("metrics agree with scikit-learn to 1e-12") {
  BCX_NEEDS_SHARED("parity/metrics.json");
  const json file = json::parse(std::ifstream(bcx::test::shared_dir() / "parity/metrics.json"));
  REQUIRE(file.at("cases").size() == 48);
  compared = 0;
  for (std::size_t i = 0; i < 48; ++i) {
    INFO("case " << i);
    const json& expected = file["cases"][i];
    const Case one(expected);
    check_decisions(one, expected);
    check_probabilities(one, expected);
    if (one.probabilities.classes() == 2) check_binary_scores(one, expected);
  }
  CHECK(compared > 48 * 10);
}
