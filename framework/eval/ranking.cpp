#include "eval/ranking.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "eval/checks.h"

namespace bcx::eval {

Ranking::Ranking(const std::vector<bool>& positives, const Scores& scores,
                 std::span<const std::uint32_t> cluster_of_sample) {
  require_same_size(positives.size(), scores.size());
  const auto values = scores.values();
  ordered_ = std::none_of(values.begin(), values.end(), [](double v) { return std::isnan(v); });
  if (!ordered_) return;
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return values[a] > values[b]; });
  for (std::size_t i = 0; i < order.size(); ++i) {
    const bool ends = i + 1 == order.size() || values[order[i + 1]] != values[order[i]];
    samples_.push_back({cluster_of_sample[order[i]], positives[order[i]], ends});
  }
}

Ranking::Areas Ranking::weighted(std::span<const std::uint32_t> weights,
                                 bool with_average_precision) const {
  Areas areas{std::nan(""), std::nan("")};
  if (!ordered_) return areas;
  std::int64_t positives = 0, negatives = 0, before = 0, negatives_before = 0, twice_won = 0;
  double precision_sum = 0.0;
  for (const Sample& sample : samples_) {
    const std::int64_t weight = weights[sample.cluster];
    positives += sample.positive ? weight : 0;
    negatives += sample.positive ? 0 : weight;
    if (!sample.ends_tie) continue;
    twice_won += (negatives - negatives_before) * (positives + before);
    if (with_average_precision && positives > before)
      precision_sum += static_cast<double>(positives - before) * static_cast<double>(positives) /
                       static_cast<double>(positives + negatives);
    before = positives;
    negatives_before = negatives;
  }
  if (positives > 0 && negatives > 0)
    areas.auc = static_cast<double>(twice_won) /
                (2.0 * static_cast<double>(positives) * static_cast<double>(negatives));
  if (positives > 0) areas.average_precision = precision_sum / static_cast<double>(positives);
  return areas;
}

}  // namespace bcx::eval
