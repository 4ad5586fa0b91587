#include "eval/threshold.h"

#include <algorithm>

#include "base/error.h"
#include "tests/catch.h"

using namespace bcx;
using namespace bcx::eval;

namespace {

/// Sensitivity and specificity of "positive when score >= threshold", counted.
std::pair<double, double> rates(const std::vector<bool>& positives,
                                const std::vector<double>& values, double threshold) {
  double hit = 0, positive = 0, rejected = 0, negative = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    (positives[i] ? positive : negative) += 1;
    if (positives[i] && values[i] >= threshold) hit += 1;
    if (!positives[i] && values[i] < threshold) rejected += 1;
  }
  return {hit / positive, rejected / negative};
}

std::string refusal(std::string_view rule, const std::vector<bool>& positives = {true, false}) {
  try {
    choose_threshold(rule, positives, Scores(std::vector<double>(positives.size(), 0.5)));
    return {};
  } catch (const Error& error) {
    return error.what();
  }
}

}  // namespace

TEST_CASE("chosen thresholds are the best by counting") {
  const std::vector<bool> positives = {1, 0, 1, 1, 0, 0, 1, 0, 1, 0, 0, 1};
  const std::vector<double> values = {.9, .8, .8, .7, .6, .6, .6, .4, .3, .2, .2, .1};
  const Scores scores(values);
  std::vector<double> candidates = values;
  std::sort(candidates.rbegin(), candidates.rend());

  const double youden = choose_threshold("youden", positives, scores);
  const auto [sensitivity, specificity] = rates(positives, values, youden);
  for (const double other : candidates) {
    const auto [s, c] = rates(positives, values, other);
    CHECK(s + c <= sensitivity + specificity + 1e-12);
    if (other > youden) CHECK(s + c < sensitivity + specificity);
  }
  for (const double wanted : {0.1, 0.5, 0.66, 0.8, 0.95, 1.0}) {
    const double chosen =
        choose_threshold("sensitivity>=" + std::to_string(wanted), positives, scores);
    CHECK(rates(positives, values, chosen).first >= wanted);
    for (const double other : candidates)
      if (other > chosen) CHECK(rates(positives, values, other).first < wanted);
  }
}

TEST_CASE("a number is taken as it is, and looks at nothing") {
  CHECK(choose_threshold("0.25", {}, Scores(std::vector<double>{})) == 0.25);
  CHECK(choose_threshold("1", {}, Scores(std::vector<double>{})) == 1.0);
  CHECK_FALSE(is_chosen("0.25"));
  CHECK(is_chosen("youden"));
}

TEST_CASE("rules that are none, and parts that cannot choose") {
  const std::string remedy =
      "a number within [0, 1], youden, sensitivity>=0.95, specificity>=0.95, or cost=5";
  for (const std::string rule : {"yuden", "1.5", "-0.1", "sensitivity>=0", "sensitivity>=1.1",
                                 "specificity>=0", "cost=0", "cost=", "0.5x", ""})
    CHECK(refusal(rule) ==
          "evaluate.threshold: unknown threshold rule \"" + rule + "\"; " + remedy);
  CHECK(refusal("youden", {true, true}) ==
        "evaluate.threshold: no threshold can be chosen: the validation part has one class only; "
        "use a number, or "
        "another split");
}
