// The class must not show in the mean colour: a logistic regression on it fails on new patients.
#include <cmath>

#include "data/split.h"
#include "demo_table.h"
#include "tests/catch.h"

using namespace bcx;
using namespace bcx::data;

namespace {

using Features = std::array<double, 4>;  // mean R, G, B standardised, and 1

std::vector<Features> mean_colours(const std::vector<Image>& pictures) {
  std::vector<Features> rows;
  for (const auto& picture : pictures) {
    Features row{0, 0, 0, 1};
    for (std::size_t i = 0; i < picture.rgb.size(); ++i) row[i % 3] += picture.rgb[i];
    for (std::size_t c = 0; c < 3; ++c) row[c] /= static_cast<double>(picture.rgb.size()) / 3;
    rows.push_back(row);
  }
  for (std::size_t c = 0; c < 3; ++c) {
    double mean = 0, square = 0;
    for (const auto& row : rows) mean += row[c] / static_cast<double>(rows.size());
    for (const auto& row : rows) square += (row[c] - mean) * (row[c] - mean);
    const double deviation = std::sqrt(square / static_cast<double>(rows.size()));
    for (auto& row : rows) row[c] = (row[c] - mean) / deviation;
  }
  return rows;
}

double score(const Features& weights, const Features& row) {
  double sum = 0;
  for (std::size_t c = 0; c < 4; ++c) sum += weights[c] * row[c];
  return sum;
}

// Gradient descent on the log loss with a ridge of 1, scikit-learn's default strength.
Features fit(const std::vector<Features>& rows, const SampleTable& table,
             const std::vector<std::int64_t>& train) {
  Features weights{};
  for (int step = 0; step < 3000; ++step) {
    Features gradient{weights[0], weights[1], weights[2], 0};
    for (const auto i : train) {
      const auto& row = rows[static_cast<std::size_t>(i)];
      const double error = 1 / (1 + std::exp(-score(weights, row))) -
                           table.samples[static_cast<std::size_t>(i)].label;
      for (std::size_t c = 0; c < 4; ++c) gradient[c] += error * row[c];
    }
    for (std::size_t c = 0; c < 4; ++c) {
      weights[c] -= gradient[c] / static_cast<double>(train.size());
    }
  }
  return weights;
}

double auc(const Features& weights, const std::vector<Features>& rows, const SampleTable& table,
           const std::vector<std::int64_t>& test) {
  double wins = 0, pairs = 0;
  for (const auto i : test) {
    for (const auto j : test) {
      if (table.samples[static_cast<std::size_t>(i)].label != 1 ||
          table.samples[static_cast<std::size_t>(j)].label != 0) {
        continue;
      }
      ++pairs;
      wins += score(weights, rows[static_cast<std::size_t>(i)]) >
              score(weights, rows[static_cast<std::size_t>(j)]);
    }
  }
  return wins / pairs;
}

}  // namespace

TEST_CASE("a logistic regression on the mean colour has a case AUC under 0.8") {
  double sum = 0;
  const int seeds = 5, folds = 3;
  for (int seed = 1; seed <= seeds; ++seed) {
    DemoOptions options;
    options.seed = static_cast<std::uint64_t>(seed);
    const auto set = test::draw_demo_set(options, 32);
    const auto rows = mean_colours(set.pictures);
    config::SplitConfig config;
    config.method = "kfold";
    config.folds = folds;
    config.validation = 0;
    config.seed = options.seed;
    for (config.fold = 0; config.fold < folds; ++config.fold) {
      const auto split = make_split(set.table, config);
      const auto weights = fit(rows, set.table, split.indexes(Part::train));
      sum += auc(weights, rows, set.table, split.indexes(Part::test));
    }
  }
  const double mean = sum / (seeds * folds);
  INFO("mean AUC over " << seeds << " seeds and " << folds << " folds: " << mean);
  CHECK(mean < 0.8);
}
