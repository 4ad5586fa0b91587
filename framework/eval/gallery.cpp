#include "eval/gallery.h"

#include <algorithm>
#include <cmath>
#include <functional>

namespace bcx::eval {
namespace {

/// How far the scores are from another decision.
double margin(std::span<const double> p, const DecisionRule& rule) {
  if (rule.threshold) return std::abs(p[static_cast<std::size_t>(rule.positive)] - *rule.threshold);
  std::vector<double> sorted(p.begin(), p.end());
  std::partial_sort(sorted.begin(), sorted.begin() + 2, sorted.end(), std::greater<>());
  return sorted[0] - sorted[1];
}

/// The first `count` samples that `take` likes, by falling `key`.
Gallery pick(std::string name, std::size_t samples, std::size_t count,
             const std::function<bool(std::size_t)>& take,
             const std::function<double(std::size_t)>& key) {
  std::vector<std::pair<double, std::size_t>> keyed;
  for (std::size_t i = 0; i < samples; ++i)
    if (take(i)) keyed.emplace_back(key(i), i);
  std::stable_sort(keyed.begin(), keyed.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  Gallery gallery{std::move(name), {}};
  for (std::size_t i = 0; i < std::min(keyed.size(), count); ++i)
    gallery.samples.push_back(keyed[i].second);
  return gallery;
}

}  // namespace

std::vector<Gallery> galleries(const Outcomes& outcomes, const DecisionRule& rule,
                               std::size_t count) {
  const auto decisions = decide(outcomes.scores, rule);
  const auto n = outcomes.size();
  const auto confidence = [&](std::size_t i) {
    return outcomes.scores.row(i)[static_cast<std::size_t>(decisions[i])];
  };
  const auto right = [&](std::size_t i) { return decisions[i] == outcomes.targets[i]; };
  std::vector<Gallery> all;
  all.push_back(pick(
      "error", n, count, [&](auto i) { return !right(i); }, confidence));
  all.push_back(pick(
      "uncertain", n, count, [](auto) { return true; },
      [&](auto i) { return -margin(outcomes.scores.row(i), rule); }));
  for (Label c = 0; c < outcomes.classes(); ++c)
    all.push_back(pick(
        "right-" + std::to_string(c), n, count,
        [&](auto i) { return right(i) && decisions[i] == c; }, confidence));
  return all;
}

}  // namespace bcx::eval
