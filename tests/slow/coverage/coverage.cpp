// How often nominal 95 % intervals cover the truth, by simulation: the table of docs/evaluation.md.
//
// A study: patients of both classes with 10 images each; an image's score is
//     1.4657 * class + sqrt(0.5) * (the patient's own effect) + sqrt(0.5) * (the image's),
// both effects standard normal, so that the true AUC is 0.85; decided at the middle, the true
// accuracy is 0.768. Half of the scatter is the patient's. BCX_STUDIES (1000) studies of each
// size, 1,000 resamples.

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <cstdlib>

#include "base/philox.h"
#include "eval/bootstrap.h"
#include "eval/distributions.h"
#include "eval/ranking.h"
#include "eval/small_sample.h"
#include "tests/catch.h"

using namespace bcx::eval;

namespace {

constexpr int images = 10;
constexpr double separation = 1.4657;

struct Study {
  Study(int negatives, int positives, std::uint64_t number)
      : values(draw(negatives, positives, number)),
        by_patient(Clusters::by_group(groups, targets, 2)),
        by_image(Clusters::each_alone(targets, 2)) {}

  /// Fills the other members on the way.
  std::vector<double> draw(int negatives, int positives, std::uint64_t number) {
    const bcx::Stream stream(20, "coverage", static_cast<std::uint64_t>(negatives), number);
    std::uint64_t at = 0;
    std::vector<double> scores;
    for (int p = 0; p < negatives + positives; ++p) {
      const int target = p < negatives ? 0 : 1;
      const double of_patient = stream.normal(at++);
      for (int i = 0; i < images; ++i) {
        scores.push_back(separation * target + std::sqrt(0.5) * (of_patient + stream.normal(at++)));
        targets.push_back(target);
        groups.push_back(std::to_string(p));
        right.push_back((scores.back() >= separation / 2) == (target == 1));
      }
    }
    return scores;
  }

  std::vector<Label> targets;
  std::vector<std::string> groups;
  std::vector<double> right;
  std::vector<double> values;
  Clusters by_patient, by_image;
};

/// AUC and accuracy, and nothing else: a study is resampled in milliseconds.
class TwoFigures : public Figures {
 public:
  TwoFigures(const Study& study, const Clusters& clusters)
      : ranking_(is_class(study.targets, 1), Scores(study.values), clusters.of_sample()),
        right_(clusters.count()),
        count_(clusters.count()) {
    for (std::size_t i = 0; i < study.targets.size(); ++i) {
      right_[clusters.of_sample()[i]] += study.right[i];
      count_[clusters.of_sample()[i]] += 1.0;
    }
  }
  const std::vector<std::string>& names() const override { return names_; }
  void compute(std::span<const std::uint32_t> weights, std::span<double> values) const override {
    double right = 0.0, count = 0.0;
    for (std::size_t c = 0; c < weights.size(); ++c) {
      right += weights[c] * right_[c];
      count += weights[c] * count_[c];
    }
    values[0] = ranking_.weighted(weights, false).auc;
    values[1] = right / count;
  }

 private:
  Ranking ranking_;
  std::vector<double> right_, count_;
  std::vector<std::string> names_{"auc", "accuracy"};
};

/// Covered studies of AUC and accuracy, by method.
struct Tally {
  std::array<std::array<int, 3>, 2> covered{};  // [figure][percentile, BCa, small sample]
  void add(int figure, int method, const std::optional<Interval>& interval, double truth) {
    covered[static_cast<std::size_t>(figure)][static_cast<std::size_t>(method)] +=
        interval && interval->low <= truth && truth <= interval->high;
  }
};

void judge(const Study& study, const Clusters& clusters, std::uint64_t seed, Tally& tally) {
  const double truth[2] = {normal_cdf(separation / std::sqrt(2.0)), normal_cdf(separation / 2)};
  const TwoFigures figures(study, clusters);
  const auto result = bootstrap(figures, clusters, {.resamples = 1000, .seed = seed, .threads = 1});
  for (int f = 0; f < 2; ++f) {
    tally.add(f, 0, result[static_cast<std::size_t>(f)].percentile, truth[f]);
    tally.add(f, 1, result[static_cast<std::size_t>(f)].bca, truth[f]);
  }
  const auto area = clustered_auc(is_class(study.targets, 1), Scores(study.values), clusters);
  if (area) tally.add(0, 2, logit_t_interval(*area), truth[0]);
  const std::vector<double> whole(study.right.size(), 1.0);
  const auto share = clustered_share(study.right, whole, clusters);
  if (share) tally.add(1, 2, logit_t_interval(*share), truth[1]);
}

std::string row(const char* by, const std::array<int, 3>& covered, int studies) {
  std::string text = fmt::format(" {} |", by);
  for (const int count : covered) text += fmt::format(" {:.1f} |", 100.0 * count / studies);
  return text;
}

int studies_wanted() {
  const char* told = std::getenv("BCX_STUDIES");
  return told ? std::max(1, std::atoi(told)) : 1000;
}

}  // namespace

TEST_CASE("coverage of nominal 95 % intervals") {
  const int studies = studies_wanted();
  fmt::print(
      "{} studies\n| patients | figure | drawn | percentile | BCa | small sample |\n"
      "| --- | --- | --- | --- | --- | --- |\n",
      studies);
  for (const auto& [negatives, positives] :
       {std::pair(5, 12), std::pair(8, 16), std::pair(24, 58), std::pair(100, 100)}) {
    Tally by_patient, by_image;
    for (int s = 0; s < studies; ++s) {
      const auto number = static_cast<std::uint64_t>(s);
      const Study study(negatives, positives, number);
      judge(study, study.by_patient, number, by_patient);
      judge(study, study.by_image, number, by_image);
    }
    for (std::size_t f = 0; f < 2; ++f) {
      const auto head =
          fmt::format("| {} + {} | {} |", negatives, positives, f ? "accuracy" : "auc");
      fmt::print("{}{}\n{}{}\n", head, row("by patient", by_patient.covered[f], studies), head,
                 row("by image", by_image.covered[f], studies));
      std::fflush(stdout);
      if (negatives < 100) continue;
      for (std::size_t method = 0; method < 3; ++method) {
        INFO(f << " " << method);
        CHECK(by_patient.covered[f][method] >= 0.93 * studies);
        CHECK(by_patient.covered[f][method] <= 0.97 * studies);
        CHECK(by_image.covered[f][method] < 0.80 * studies);
      }
    }
  }
}
