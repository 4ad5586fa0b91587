// The band around a ROC curve against copies of samples and a slow curve.
#include <cmath>

#include "base/philox.h"
#include "eval/curves.h"
#include "eval/roc_band.h"
#include "tests/catch.h"

using namespace bcx::eval;

namespace {

/// Height of the stored curve at a rate: the highest point there, else on the line between.
double height(const RocCurve& roc, double rate) {
  const auto& x = roc.false_positive_rate;
  const auto& y = roc.true_positive_rate;
  double best = -1.0;
  for (std::size_t i = 0; i < x.size(); ++i)
    if (x[i] == rate) best = std::max(best, y[i]);
  if (best >= 0.0) return best;
  for (std::size_t i = 1; i < x.size(); ++i)
    if (x[i - 1] < rate && rate < x[i])
      return y[i - 1] + (rate - x[i - 1]) / (x[i] - x[i - 1]) * (y[i] - y[i - 1]);
  return 1.0;
}

struct Study {
  std::vector<bool> positives;
  std::vector<Label> targets;
  std::vector<double> scores;
  std::vector<std::string> groups;
};

/// `patients` of 4 images with scores in tenths, so that there are ties.
Study study_of(int patients) {
  Study study;
  const bcx::Stream stream(7, "band");
  for (int p = 0; p < patients; ++p)
    for (int i = 0; i < 4; ++i) {
      const auto n = static_cast<std::uint64_t>(p * 4 + i);
      study.targets.push_back(p % 2);
      study.positives.push_back(p % 2 == 1);
      study.scores.push_back(std::round(10.0 * (stream.normal(n) + 0.8 * (p % 2))) / 10.0);
      study.groups.push_back("p" + std::to_string(p));
    }
  return study;
}

}  // namespace

TEST_CASE("the band's middle is the curve, its edges hold it and begin and end where it must") {
  const auto study = study_of(24);
  const Scores scores(study.scores);
  const auto clusters = Clusters::by_group(study.groups, study.targets, 2);
  const auto band = roc_band(study.positives, scores, clusters, {.resamples = 400});
  const auto roc = roc_curve(study.positives, scores);
  REQUIRE(band.size() == 51);
  double widest = 0.0;
  for (const auto& point : band) {
    INFO(point.false_positive_rate);
    CHECK(point.true_positive_rate ==
          Approx(height(*roc, point.false_positive_rate)).margin(1e-12));
    CHECK(point.low <= point.high);
    CHECK(point.low <= point.true_positive_rate + 0.05);
    CHECK(point.high >= point.true_positive_rate - 0.05);
    widest = std::max(widest, point.high - point.low);
  }
  CHECK(widest > 0.1);
  CHECK(band.back().low == 1.0);
}

TEST_CASE("no band without an order, without a class, and of few patients") {
  auto study = study_of(24);
  const auto clusters = Clusters::by_group(study.groups, study.targets, 2);
  auto scores = study.scores;
  scores[3] = std::nan("");
  CHECK(roc_band(study.positives, Scores(scores), clusters, {.resamples = 100}).empty());
  const auto few = study_of(8);
  CHECK(roc_band(few.positives, Scores(few.scores), Clusters::by_group(few.groups, few.targets, 2),
                 {.resamples = 100})
            .empty());
}
