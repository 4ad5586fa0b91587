// Resampling against the plain way: build the resampled data set, compute its metrics.

#include <cmath>
#include <map>

#include "eval/bootstrap.h"
#include "eval/coverage.h"
#include "eval/intervals.h"
#include "eval/small_sample.h"
#include "study.h"
#include "tests/catch.h"

using namespace bcx::eval;
using bcx::test::study;

namespace {

Clusters patients_of(const Outcomes& outcomes) {
  return Clusters::by_group(outcomes.groups, outcomes.targets, outcomes.classes());
}

/// Every cluster as often as its weight says, each copy a patient of its own.
Outcomes repeated(const Outcomes& outcomes, const Clusters& clusters,
                  std::span<const std::uint32_t> weights) {
  Outcomes result;
  result.kind = outcomes.kind;
  std::vector<double> rows;
  for (std::size_t i = 0; i < outcomes.size(); ++i)
    for (std::uint32_t copy = 0; copy < weights[clusters.of_sample()[i]]; ++copy) {
      result.targets.push_back(outcomes.targets[i]);
      result.groups.push_back(outcomes.groups[i] + "/" + std::to_string(copy));
      const auto row = outcomes.scores.row(i);
      rows.insert(rows.end(), row.begin(), row.end());
    }
  result.scores = Probabilities(std::move(rows), outcomes.classes());
  return result;
}

/// figures_of() at random weights against named_metrics() of the repeated data.
void check_figures(const Outcomes& outcomes, const DecisionRule& rule, std::size_t at_least) {
  const auto clusters = patients_of(outcomes);
  const auto figures = figures_of(outcomes, rule, clusters);
  CHECK(figures->names().size() >= at_least);
  const bcx::Stream stream(3, "weights");
  for (std::uint64_t round = 0; round < 20; ++round) {
    std::vector<std::uint32_t> weights(clusters.count());
    for (std::size_t c = 0; c < weights.size(); ++c)
      weights[c] = round == 0 ? 1 : static_cast<std::uint32_t>(stream.below(round * 100 + c, 3));
    std::vector<double> values(figures->names().size());
    figures->compute(weights, values);
    const auto named = named_metrics(repeated(outcomes, clusters, weights), "", {.rule = rule});
    const std::map<std::string, double> expected(named.begin(), named.end());
    for (std::size_t f = 0; f < values.size(); ++f) {
      INFO(figures->names()[f] << ", round " << round);
      const auto found = expected.find(figures->names()[f]);
      REQUIRE(std::isnan(values[f]) == (found == expected.end()));
      if (found != expected.end())
        CHECK(values[f] == Approx(found->second).epsilon(0).margin(1e-12));
    }
  }
}

}  // namespace

TEST_CASE("figures of weighted clusters are the metrics of the repeated samples") {
  check_figures(study(6, 9, 4, 1), {}, 17);
  check_figures(study(6, 9, 4, 2), {.threshold = 0.7, .positive = 0}, 17);
  check_figures(study(3, 2, 1, 3), {}, 17);  // classes vanish in some rounds
  auto mixed = study(6, 9, 4, 4);
  for (std::size_t i = 0; i < 20; i += 3) mixed.targets[i] = 1 - mixed.targets[i];
  check_figures(mixed, {}, 17);
  auto ranks = study(6, 9, 4, 5);
  ranks.kind = ScoreKind::rank;
  check_figures(ranks, {}, 3);
  check_figures(ranks, {.threshold = 0.5, .positive = 1}, 15);
}

TEST_CASE("figures of three classes") {
  const bcx::Stream stream(1, "three");
  Outcomes outcomes;
  std::vector<double> rows;
  for (std::uint64_t i = 0; i < 60; ++i) {
    outcomes.targets.push_back(static_cast<Label>(i / 4 % 3));
    outcomes.groups.push_back("p" + std::to_string(i / 4));
    double sum = 0, row[3];
    for (std::uint64_t k = 0; k < 3; ++k)
      sum += row[k] = stream.uniform(i * 3 + k) + (k == i / 4 % 3 ? 0.4 : 0.0);
    for (const double value : row) rows.push_back(value / sum);
  }
  outcomes.scores = Probabilities(std::move(rows), 3);
  check_figures(outcomes, {}, 12);
}

TEST_CASE("clusters: who is drawn, and how many there are") {
  const std::vector<std::string> groups{"a", "a", "b", "c", "c", "d"};
  const std::vector<Label> targets{0, 0, 1, 0, 1, 1};
  const auto clusters = Clusters::by_group(groups, targets, 2);
  CHECK(clusters.count() == 4);
  CHECK(clusters.with_class(0) == 2);
  CHECK(clusters.with_class(1) == 3);
  CHECK(clusters.quantum() == 0.5);
  CHECK_FALSE(clusters.allow_interval());
  REQUIRE(clusters.strata().size() == 3);  // benign, malignant, both
  CHECK(std::isinf(Clusters::by_group(groups, std::vector<Label>(6, 1), 2).quantum()));
  CHECK(patients_of(study(24, 58, 2, 1)).quantum() == Approx(0.0417).margin(1e-4));
  CHECK(patients_of(study(5, 12, 2, 1)).allow_interval());
}

TEST_CASE("the seed decides, the threads do not") {
  const auto outcomes = study(8, 12, 5, 7);
  const auto clusters = patients_of(outcomes);
  const auto figures = figures_of(outcomes, {}, clusters);
  const auto one = bootstrap(*figures, clusters, {.resamples = 501, .seed = 9, .threads = 1});
  const auto three = bootstrap(*figures, clusters, {.resamples = 501, .seed = 9, .threads = 3});
  const auto other = bootstrap(*figures, clusters, {.resamples = 501, .seed = 8, .threads = 1});
  bool differs = false;
  for (std::size_t f = 0; f < one.size(); ++f) {
    CHECK(one[f].percentile->low == three[f].percentile->low);
    CHECK(one[f].percentile->high == three[f].percentile->high);
    CHECK(one[f].standard_error == three[f].standard_error);
    differs = differs || one[f].standard_error != other[f].standard_error;
  }
  CHECK(differs);
}

TEST_CASE("undefined figures have no interval") {
  auto outcomes = study(4, 4, 2, 1);
  std::vector<double> rows;
  for (std::size_t i = 0; i < outcomes.size(); ++i) rows.insert(rows.end(), {0.9, 0.1});
  outcomes.scores = Probabilities(rows, 2);  // nothing is called positive, nothing ranks
  const auto clusters = patients_of(outcomes);
  for (const auto& one :
       bootstrap(*figures_of(outcomes, {}, clusters), clusters, {.resamples = 200})) {
    INFO(one.name);
    if (one.name == "precision") CHECK_FALSE(one.percentile.has_value());
    if (one.name == "precision") CHECK(one.undefined == 200);
    CHECK_FALSE(one.bca.has_value());  // nothing varies but what is undefined
  }
}

TEST_CASE("a figure that is undefined in a tenth of the resamples has no interval") {
  // One positive decision in all: precision exists only where its patient is drawn.
  const auto outcomes = bcx::test::outcomes_of({0, 0, 0, 1, 1, 1}, {.1, .2, .3, .2, .3, .9},
                                               {"a", "b", "c", "d", "e", "f"});
  const auto clusters = patients_of(outcomes);
  for (const auto& one :
       bootstrap(*figures_of(outcomes, {}, clusters), clusters, {.resamples = 300})) {
    if (one.name != "precision") continue;
    CHECK(one.estimate == 1.0);
    CHECK(one.undefined > 30);
    CHECK_FALSE(one.percentile.has_value());
  }
}

TEST_CASE("shares: variance between patients, by hand") {
  // Patients with 2 of 2, 1 of 2, 0 of 1, 3 of 3 right; e = part - 0.75 whole.
  const std::vector<std::string> groups{"a", "a", "b", "b", "c", "d", "d", "d"};
  const std::vector<Label> targets(8, 1);
  const auto clusters = Clusters::by_group(groups, targets, 2);
  const std::vector<double> right{1, 1, 1, 0, 0, 1, 1, 1}, whole(8, 1.0);
  const auto spread = clustered_share(right, whole, clusters);
  REQUIRE(spread);
  CHECK(spread->estimate == 0.75);
  const double squares = 0.5 * 0.5 + 0.5 * 0.5 + 0.75 * 0.75 + 0.75 * 0.75;
  CHECK(spread->variance == Approx(4.0 / 3.0 * squares / 64.0).epsilon(1e-14));
  CHECK(spread->degrees_of_freedom == Approx(3.0));
  const auto interval = t_interval(*spread);
  REQUIRE(interval);
  CHECK(interval->high - 0.75 == Approx(3.182446305 * std::sqrt(spread->variance)));
  const auto logit = logit_t_interval(*spread);
  REQUIRE(logit);
  CHECK((logit->low > 0 && logit->high < 1 && logit->low < 0.75 && logit->high > 0.75));
  CHECK_FALSE(logit_t_interval({1.0, 0.1, 3.0}).has_value());
  CHECK_FALSE(t_interval({0.5, 0.0, 3.0}).has_value());
}

TEST_CASE("uncertainty: by patient where they are known, none below five of a class") {
  const BootstrapOptions few{.resamples = 200, .seed = 1, .level = 0.95, .threads = 1};
  auto outcomes = study(6, 9, 4, 1);
  const auto known = uncertainty_of(outcomes, {}, few);
  CHECK(known.by_patient);
  CHECK(known.clusters == 15);
  CHECK(known.quantum == Approx(1.0 / 6));
  const auto named = named_metrics(outcomes, "");
  const std::map<std::string, double> expected(named.begin(), named.end());
  for (const auto& one : known.figures) {
    INFO(one.name);
    CHECK(one.value == Approx(expected.at(one.name)).epsilon(0).margin(1e-12));
    const bool small = one.name == "auc" || one.name == "accuracy" || one.name == "sensitivity" ||
                       one.name == "specificity";
    CHECK(one.small_sample.has_value() == small);
    if (small) CHECK((one.small_sample->low < one.value && one.value < one.small_sample->high));
  }
  CHECK(uncertainty_of(study(4, 30, 4, 1), {}, few).figures.empty());
  outcomes.groups.clear();
  CHECK_FALSE(uncertainty_of(outcomes, {}, few).by_patient);
  CHECK(uncertainty_of(outcomes, {}, few).clusters == 60);
}

TEST_CASE("measured coverage: the next smaller simulated size") {
  CHECK_FALSE(measured_coverage(4).has_value());
  CHECK(measured_coverage(5)->positives == 12);
  CHECK(measured_coverage(23)->negatives == 8);
  CHECK(measured_coverage(24)->negatives == 24);
  CHECK(measured_coverage(1000)->bca == 0.954);
}

namespace {

/// The mean of one number for each cluster.
class MeanFigure : public Figures {
 public:
  explicit MeanFigure(std::vector<double> values) : values_(std::move(values)) {}
  const std::vector<std::string>& names() const override { return names_; }
  void compute(std::span<const std::uint32_t> weights, std::span<double> out) const override {
    double sum = 0.0, count = 0.0;
    for (std::size_t c = 0; c < values_.size(); ++c) {
      sum += weights[c] * values_[c];
      count += weights[c];
    }
    out[0] = sum / count;
  }

 private:
  std::vector<double> values_;
  std::vector<std::string> names_{"mean"};
};

/// Of a mean it is a sixth of the skewness over the root of the number (Efron 1987).
double acceleration_of_mean(const std::vector<double>& values) {
  double mean = 0.0, squares = 0.0, cubes = 0.0;
  for (const double value : values) mean += value / static_cast<double>(values.size());
  for (const double value : values) {
    squares += (value - mean) * (value - mean);
    cubes += (value - mean) * (value - mean) * (value - mean);
  }
  return cubes / (6.0 * std::pow(squares, 1.5));
}

}  // namespace

TEST_CASE("the acceleration of a skewed mean, one by one and in groups") {
  // Groups of a stratum have cross terms of expectation 0 and spread sqrt(15) / (6 groups).
  for (const auto& [count, margin] : {std::pair{500u, 1e-9}, {2'000u, 1e-9}, {9'000u, 1e-3}}) {
    const bcx::Stream stream(4, "skewed", count);
    std::vector<double> values;
    for (std::uint64_t i = 0; i < count; ++i)
      values.push_back(-std::log(1.0 - stream.uniform(i)));  // exponential: skewness 2
    const auto clusters = Clusters::each_alone(std::vector<Label>(count, 0), 2);
    const auto found =
        bootstrap(MeanFigure(values), clusters, {.resamples = 100, .seed = 1, .threads = 1});
    INFO(count);
    CHECK(found[0].acceleration == Approx(acceleration_of_mean(values)).epsilon(0).margin(margin));
    CHECK(acceleration_of_mean(values) > 3e-3);
  }
}

TEST_CASE("strata come in the order of which classes they hold") {
  // Two of four classes each: as rows of 0 and 1, read as words.
  const std::vector<std::string> groups{"a", "a", "b", "b", "c", "c", "d", "e", "e", "e"};
  const std::vector<Label> targets{0, 3, 2, 3, 0, 1, 3, 1, 2, 1};
  const auto clusters = Clusters::by_group(groups, targets, 4);
  // d 0001, b 0011, e 0110, a 1001, c 1100
  const std::vector<std::vector<std::uint32_t>> expected{{3}, {1}, {4}, {0}, {2}};
  CHECK(clusters.strata() == expected);
}
