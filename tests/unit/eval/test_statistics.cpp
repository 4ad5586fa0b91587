// scipy's and scikit-learn's answers, and definitions in O(n^2): make_statistics.py.

#include <fstream>
#include <nlohmann/json.hpp>

#include "eval/agreement.h"
#include "eval/bootstrap.h"
#include "eval/distributions.h"
#include "eval/small_sample.h"
#include "eval/temperature.h"
#include "study.h"
#include "tests/catch.h"

using namespace bcx::eval;
using nlohmann::json;

namespace {

const json& reference() {
  static const json file =
      json::parse(std::ifstream(bcx::test::source_dir() / "tests/unit/eval/statistics.json"));
  return file;
}

auto near(double value, double margin = 1e-10) {
  return Approx(value).epsilon(0).margin(margin);
}

struct Study {
  explicit Study(const json& data)
      : targets(data.at("target").get<std::vector<Label>>()),
        groups(data.at("group").get<std::vector<std::string>>()),
        first(data.at("first").get<std::vector<double>>()),
        second(data.at("second").get<std::vector<double>>()),
        positives(is_class(targets, 1)),
        clusters(Clusters::by_group(groups, targets, 2)) {}
  std::vector<Label> decided(const std::vector<double>& scores) const {
    std::vector<Label> result;
    for (const double score : scores) result.push_back(score >= 0.5);
    return result;
  }
  std::vector<Label> targets;
  std::vector<std::string> groups;
  std::vector<double> first, second;
  std::vector<bool> positives;
  Clusters clusters;
};

void check_spread(const std::optional<Spread>& ours, const json& theirs) {
  REQUIRE(ours);
  CHECK(ours->estimate == near(theirs["estimate"]));
  CHECK(ours->variance == near(theirs["variance"], 1e-13));
  CHECK(ours->degrees_of_freedom == near(theirs["df"], 1e-9));
}

}  // namespace

TEST_CASE("quantiles and tails agree with scipy") {
  for (const auto& one : reference()["student"])
    CHECK(student_quantile(one[0], one[1]) == Approx(one[2].get<double>()).epsilon(1e-10));
  for (const auto& one : reference()["normal"]) {
    CHECK(normal_quantile(one[0]) == near(one[1]));
    CHECK(normal_cdf(one[1]) == near(one[0], 1e-15));
  }
  for (const auto& one : reference()["binomial"])
    CHECK(std::min(1.0, 2 * fair_coin_cdf(one[0], one[1])) == near(one[2], 1e-12));
}

TEST_CASE("variances of clustered areas agree with their definition") {
  for (const auto& data : reference()["studies"]) {
    const Study s(data);
    const Scores first(s.first), second(s.second);
    check_spread(clustered_auc(s.positives, first, s.clusters), data["auc"]);
    check_spread(clustered_auc_difference(s.positives, first, second, s.clusters),
                 data["difference"]);
    const auto test = delong(s.positives, first, second);
    REQUIRE(test);
    CHECK(test->second - test->first == near(data["delong"]["estimate"]));
    CHECK(test->standard_error == near(std::sqrt(data["delong"]["variance"].get<double>())));
  }
}

TEST_CASE("agreement of two deciders: McNemar and kappa") {
  for (const auto& data : reference()["studies"]) {
    const Study s(data);
    const auto first = s.decided(s.first), second = s.decided(s.second);
    const auto test = mcnemar(s.targets, first, second);
    CHECK(test.only_first == data["only"][0]);
    CHECK(test.only_second == data["only"][1]);
    CHECK(test.exact == near(data["mcnemar"]));
    CHECK(*kappa(first, second, 2) == near(data["kappa"]));
  }
  // 1 against 8: exact 2 (1 + 9) / 512, mid-p less 9 / 512. 3 against 3: the middle is halved once.
  const std::vector<Label> all(9, 0), one{0, 1, 1, 1, 1, 1, 1, 1, 1},
      other{1, 0, 0, 0, 0, 0, 0, 0, 0};
  CHECK(mcnemar(all, one, other).exact == Approx(20.0 / 512));
  CHECK(mcnemar(all, one, other).mid_p == Approx(11.0 / 512));
  const std::vector<Label> six(6, 0), left{0, 0, 0, 1, 1, 1}, right{1, 1, 1, 0, 0, 0};
  CHECK(mcnemar(six, left, right).exact == 1.0);
  CHECK(mcnemar(six, left, right).mid_p == Approx(1 - 20.0 / 64 / 2));
  CHECK(mcnemar(six, left, left).mid_p == 1.0);
  CHECK_FALSE(kappa(six, six, 2).has_value());
  CHECK(*kappa(left, left, 2) == 1.0);
  CHECK(*agreement(left, six) == 0.5);
}

TEST_CASE("bootstrap intervals agree with scipy's, up to their resamples") {
  for (const auto& data : reference()["studies"]) {
    if (!data.contains("bootstrap")) continue;
    const Study s(data);
    const auto outcomes = bcx::test::outcomes_of(s.targets, s.first, s.groups);
    const auto figures = figures_of(outcomes, {}, s.clusters);
    const auto result = bootstrap(*figures, s.clusters, {.resamples = 50'000, .threads = 1});
    const auto& auc = result.at(0);
    REQUIRE(auc.name == "auc");
    const auto& theirs = data["bootstrap"];
    CHECK(auc.standard_error == Approx(theirs["standard_error"].get<double>()).epsilon(0.02));
    REQUIRE((auc.percentile && auc.bca));
    const double margin = 0.06 * auc.standard_error;  // what 50,000 resamples leave open
    CHECK(auc.percentile->low == near(theirs["percentile"][0], margin));
    CHECK(auc.percentile->high == near(theirs["percentile"][1], margin));
    CHECK(auc.bca->low == near(theirs["BCa"][0], margin));
    CHECK(auc.bca->high == near(theirs["BCa"][1], margin));
  }
}

TEST_CASE("temperature: the minimum that scipy finds") {
  for (const auto& data : reference()["temperature"]) {
    Predictions p;
    p.classes = data["classes"];
    p.targets = data["target"].get<std::vector<Label>>();
    p.logits = data["logits"].get<std::vector<float>>();
    const auto fitted = fit_temperature(p);
    CHECK(fitted.value == Approx(data["temperature"].get<double>()).epsilon(1e-6));
    CHECK(fitted.loss_before == near(data["before"], 1e-12));
    CHECK(fitted.loss_after == near(data["after"], 1e-12));
    CHECK_FALSE(fitted.at_limit);
    const auto probabilities = tempered(p.logits, p.classes, fitted.value);
    CHECK(*log_loss(p.targets, probabilities) == near(fitted.loss_after, 1e-12));
  }
}

TEST_CASE("temperature: exact where it can be said, limits where there is none") {
  // Of four equal rows three are right: softmax(z / T) is 3/4 where z / T = log 3.
  Predictions p;
  p.targets = {1, 1, 1, 0};
  p.logits = {0, 2, 0, 2, 0, 2, 0, 2};
  CHECK(fit_temperature(p).value == Approx(2 / std::log(3.0)).epsilon(1e-12));
  p.targets = {1, 1, 1, 1};  // always right: the colder the better
  CHECK(fit_temperature(p).value == temperature_min);
  CHECK(fit_temperature(p).at_limit);
  p.targets = {0, 0, 0, 0};
  CHECK(fit_temperature(p).value == temperature_max);
  p.logits[3] = std::nanf("");
  try {
    fit_temperature(p);
    FAIL("no error");
  } catch (const std::exception& e) {
    CHECK(std::string(e.what()) == "no temperature can be fitted: a logit is not finite");
  }
}
