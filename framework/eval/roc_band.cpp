#include "eval/roc_band.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

namespace bcx::eval {
namespace {

constexpr std::size_t grid_points = 51;

double rate_at(std::size_t point) {
  return static_cast<double>(point) / static_cast<double>(grid_points - 1);
}

/// Heights of the ROC curve on the grid.
class RocHeights : public Figures {
 public:
  RocHeights(const std::vector<bool>& positives, const Scores& scores, const Clusters& clusters) {
    std::vector<std::size_t> order(scores.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    const auto value = scores.values();
    std::sort(order.begin(), order.end(), [&](auto a, auto b) { return value[a] > value[b]; });
    for (std::size_t i = 0; i < order.size(); ++i)
      samples_.push_back({clusters.of_sample()[order[i]], positives[order[i]],
                          i + 1 == order.size() || value[order[i + 1]] != value[order[i]]});
    for (std::size_t k = 0; k < grid_points; ++k) names_.push_back(std::to_string(rate_at(k)));
  }

  const std::vector<std::string>& names() const override { return names_; }

  void compute(std::span<const std::uint32_t> weights, std::span<double> values) const override {
    double of_positives = 0.0, of_negatives = 0.0;
    for (const auto& one : samples_)
      (one.positive ? of_positives : of_negatives) += weights[one.cluster];
    if (of_positives == 0.0 || of_negatives == 0.0) {
      std::fill(values.begin(), values.end(), std::nan(""));
      return;
    }
    std::size_t next = 0;
    double tp = 0.0, fp = 0.0, x0 = 0.0, y0 = 0.0;
    for (const auto& one : samples_) {
      (one.positive ? tp : fp) += weights[one.cluster];
      if (!one.ends_tie) continue;
      const double x1 = fp / of_negatives, y1 = tp / of_positives;
      for (; next < grid_points && rate_at(next) < x1; ++next)
        values[next] = y0 + (rate_at(next) - x0) / (x1 - x0) * (y1 - y0);
      x0 = x1;
      y0 = y1;
    }
    for (; next < grid_points; ++next) values[next] = 1.0;
  }

 private:
  struct Sample {
    std::uint32_t cluster;
    bool positive, ends_tie;
  };
  std::vector<Sample> samples_;  // falling scores
  std::vector<std::string> names_;
};

}  // namespace

std::vector<RocBandPoint> roc_band(const std::vector<bool>& positives, const Scores& scores,
                                   const Clusters& clusters, const BootstrapOptions& options) {
  const auto value = scores.values();
  if (!clusters.allow_interval() ||
      std::any_of(value.begin(), value.end(), [](double v) { return std::isnan(v); }))
    return {};
  const auto heights = bootstrap(RocHeights(positives, scores, clusters), clusters, options);
  std::vector<RocBandPoint> band;
  for (std::size_t k = 0; k < heights.size(); ++k)
    if (const auto& interval = heights[k].percentile)
      band.push_back({rate_at(k), heights[k].estimate, interval->low, interval->high});
  return band;
}

}  // namespace bcx::eval
