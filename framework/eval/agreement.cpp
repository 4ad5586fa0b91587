#include "eval/agreement.h"

#include <algorithm>
#include <cmath>

#include "eval/checks.h"
#include "eval/distributions.h"
#include "eval/small_sample.h"

namespace bcx::eval {

McNemar mcnemar(std::span<const Label> targets, std::span<const Label> first,
                std::span<const Label> second) {
  require_same_size(targets.size(), first.size());
  require_same_size(targets.size(), second.size());
  McNemar result;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const bool a = first[i] == targets[i], b = second[i] == targets[i];
    result.only_first += a && !b;
    result.only_second += b && !a;
  }
  const auto discordant = result.only_first + result.only_second;
  if (discordant == 0) return result;
  const auto fewer = std::min(result.only_first, result.only_second);
  result.exact = std::min(1.0, 2.0 * fair_coin_cdf(fewer, discordant));
  // Both tails are the whole when the two are equal; one outcome is then halved, not two.
  result.mid_p = result.only_first == result.only_second
                     ? 1.0 - fair_coin(fewer, discordant) / 2.0
                     : 2.0 * fair_coin_cdf(fewer, discordant) - fair_coin(fewer, discordant);
  return result;
}

std::optional<DeLong> delong(const std::vector<bool>& positives, const Scores& first,
                             const Scores& second) {
  std::vector<Label> targets;
  for (const bool positive : positives) targets.push_back(positive ? 1 : 0);
  const auto alone = Clusters::each_alone(targets, 2);
  const auto spread = clustered_auc_difference(positives, first, second, alone);
  if (!spread) return std::nullopt;
  DeLong result;
  result.first = *roc_auc(positives, first);
  result.second = *roc_auc(positives, second);
  result.standard_error = std::sqrt(spread->variance);
  result.z = spread->variance > 0.0 ? spread->estimate / result.standard_error : std::nan("");
  if (!std::isnan(result.z)) result.p = 2.0 * normal_cdf(-std::abs(result.z));
  return result;
}

Metric agreement(std::span<const Label> first, std::span<const Label> second) {
  require_same_size(first.size(), second.size());
  if (first.empty()) return std::nullopt;
  std::size_t same = 0;
  for (std::size_t i = 0; i < first.size(); ++i) same += first[i] == second[i];
  return static_cast<double>(same) / static_cast<double>(first.size());
}

Metric kappa(std::span<const Label> first, std::span<const Label> second, int classes) {
  const Confusion table(first, second, classes);
  if (table.total() == 0) return std::nullopt;
  const auto all = static_cast<double>(table.total());
  double same = 0.0, by_chance = 0.0;
  for (int k = 0; k < classes; ++k) {
    same += static_cast<double>(table.right_of(k)) / all;
    by_chance += static_cast<double>(table.targets_of(k)) *
                 static_cast<double>(table.decisions_of(k)) / (all * all);
  }
  if (by_chance == 1.0) return std::nullopt;
  return (same - by_chance) / (1.0 - by_chance);
}

}  // namespace bcx::eval
