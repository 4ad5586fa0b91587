#include "eval/small_sample.h"

#include <algorithm>
#include <cmath>

#include "eval/checks.h"
#include "eval/distributions.h"

namespace bcx::eval {
namespace {

/// Structural components: of a positive, the share of negatives below it; of a negative, the share
/// of positives above it (ties half).
std::vector<double> components(const std::vector<bool>& positives, const Scores& scores) {
  std::vector<double> of_positives, of_negatives;
  for (std::size_t i = 0; i < positives.size(); ++i)
    (positives[i] ? of_positives : of_negatives).push_back(scores.values()[i]);
  std::sort(of_positives.begin(), of_positives.end());
  std::sort(of_negatives.begin(), of_negatives.end());
  // Twice the number of values below, ties counting one.
  const auto twice_below = [](const std::vector<double>& sorted, double value) {
    const auto [first, last] = std::equal_range(sorted.begin(), sorted.end(), value);
    return static_cast<double>((first - sorted.begin()) + (last - sorted.begin()));
  };
  const auto p = static_cast<double>(of_positives.size());
  const auto n = static_cast<double>(of_negatives.size());
  std::vector<double> result(positives.size());
  for (std::size_t i = 0; i < positives.size(); ++i) {
    const double value = scores.values()[i];
    result[i] = positives[i] ? twice_below(of_negatives, value) / (2.0 * n)
                             : 1.0 - twice_below(of_positives, value) / (2.0 * p);
  }
  return result;
}

/// What a cluster adds: its deviations, from its positives and from its negatives.
struct Part {
  std::int64_t positives = 0, negatives = 0;
  double of_positives = 0.0, of_negatives = 0.0;
};

/// Obuchowski's equations (6) to (9) on components whose mean is `area`.
std::optional<Spread> obuchowski(const std::vector<bool>& positives,
                                 std::span<const double> components, const Clusters& clusters) {
  std::vector<Part> parts(clusters.count());
  double p = 0.0, n = 0.0, area = 0.0;
  for (std::size_t i = 0; i < positives.size(); ++i) {
    (positives[i] ? p : n) += 1.0;
    if (positives[i]) area += components[i];
  }
  area /= p;
  for (std::size_t i = 0; i < positives.size(); ++i) {
    Part& part = parts[clusters.of_sample()[i]];
    ++(positives[i] ? part.positives : part.negatives);
    (positives[i] ? part.of_positives : part.of_negatives) += components[i] - area;
  }
  double ip = 0.0, in = 0.0, pp = 0.0, nn = 0.0, pn = 0.0;
  for (const Part& part : parts) {
    ip += part.positives > 0;
    in += part.negatives > 0;
    pp += part.of_positives * part.of_positives;
    nn += part.of_negatives * part.of_negatives;
    pn += part.of_positives * part.of_negatives;
  }
  if (ip < 2.0 || in < 2.0) return std::nullopt;
  const auto i = static_cast<double>(parts.size());
  const double first = ip / (ip - 1.0) * pp / (p * p);
  const double second = in / (in - 1.0) * nn / (n * n);
  const double both = 2.0 * i / (i - 1.0) * pn / (p * n);
  const double known = first * first / (ip - 1.0) + second * second / (in - 1.0);
  const double sum = first + second;
  return Spread{area, std::max(0.0, sum + both), known > 0.0 ? sum * sum / known : ip + in - 2.0};
}

bool rankable(const std::vector<bool>& positives, const Scores& scores) {
  require_same_size(positives.size(), scores.size());
  const auto of_positives = std::count(positives.begin(), positives.end(), true);
  return of_positives > 0 && of_positives < std::ssize(positives) &&
         std::none_of(scores.values().begin(), scores.values().end(),
                      [](double value) { return std::isnan(value); });
}

}  // namespace

std::optional<Spread> clustered_auc(const std::vector<bool>& positives, const Scores& scores,
                                    const Clusters& clusters) {
  require_same_size(positives.size(), clusters.of_sample().size());
  if (!rankable(positives, scores)) return std::nullopt;
  return obuchowski(positives, components(positives, scores), clusters);
}

std::optional<Spread> clustered_auc_difference(const std::vector<bool>& positives,
                                               const Scores& first, const Scores& second,
                                               const Clusters& clusters) {
  require_same_size(positives.size(), clusters.of_sample().size());
  if (!rankable(positives, first) || !rankable(positives, second)) return std::nullopt;
  // Components are means over the other kind: those of the difference are the differences.
  auto differences = components(positives, second);
  const auto subtracted = components(positives, first);
  for (std::size_t i = 0; i < differences.size(); ++i) differences[i] -= subtracted[i];
  return obuchowski(positives, differences, clusters);
}

std::optional<Spread> clustered_share(std::span<const double> part, std::span<const double> whole,
                                      const Clusters& clusters) {
  require_same_size(part.size(), whole.size());
  require_same_size(part.size(), clusters.of_sample().size());
  std::vector<double> parts(clusters.count()), wholes(clusters.count());
  double part_sum = 0.0, sum = 0.0;
  for (std::size_t i = 0; i < part.size(); ++i) {
    if (whole[i] == 0.0) continue;
    parts[clusters.of_sample()[i]] += part[i];
    wholes[clusters.of_sample()[i]] += whole[i];
    part_sum += part[i];
    sum += whole[i];
  }
  if (sum == 0.0) return std::nullopt;
  Spread spread{part_sum / sum, 0.0, 0.0};
  double known = 0.0;
  for (const auto& stratum : clusters.strata()) {
    std::vector<double> deviations;
    double mean = 0.0, squares = 0.0;
    for (const auto c : stratum)
      if (wholes[c] > 0.0) deviations.push_back(parts[c] - spread.estimate * wholes[c]);
    if (deviations.empty()) continue;
    if (deviations.size() < 2) return std::nullopt;
    const auto n = static_cast<double>(deviations.size());
    for (const double one : deviations) mean += one / n;
    for (const double one : deviations) squares += (one - mean) * (one - mean);
    const double variance = n / (n - 1.0) * squares / (sum * sum);
    spread.variance += variance;
    spread.degrees_of_freedom += n - 1.0;
    known += variance * variance / (n - 1.0);
  }
  if (known > 0.0) spread.degrees_of_freedom = spread.variance * spread.variance / known;
  return spread;
}

std::optional<Interval> t_interval(const Spread& spread, double level) {
  if (!(spread.variance > 0.0)) return std::nullopt;
  const double reach =
      student_quantile((1.0 + level) / 2.0, spread.degrees_of_freedom) * std::sqrt(spread.variance);
  return Interval{spread.estimate - reach, spread.estimate + reach};
}

std::optional<Interval> logit_t_interval(const Spread& spread, double level) {
  const double p = spread.estimate;
  if (!(p > 0.0 && p < 1.0)) return std::nullopt;
  const double slope = 1.0 / (p * (1.0 - p));  // of the logit at p: the delta method
  const auto interval = t_interval(
      {std::log(p / (1.0 - p)), spread.variance * slope * slope, spread.degrees_of_freedom}, level);
  if (!interval) return std::nullopt;
  const auto back = [](double logit) { return 1.0 / (1.0 + std::exp(-logit)); };
  return Interval{back(interval->low), back(interval->high)};
}

}  // namespace bcx::eval
