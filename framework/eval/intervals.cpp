#include "eval/intervals.h"

#include <cmath>

#include "eval/small_sample.h"

namespace bcx::eval {
namespace {

/// Right decisions among the samples of `of_class` (-1: all).
std::optional<Spread> right_share(const Outcomes& outcomes, const DecisionRule& rule, int of_class,
                                  const Clusters& clusters) {
  const auto decisions = decide(outcomes.scores, rule);
  std::vector<double> right, whole;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    const bool counts = of_class < 0 || outcomes.targets[i] == of_class;
    whole.push_back(counts ? 1.0 : 0.0);
    right.push_back(counts && decisions[i] == outcomes.targets[i] ? 1.0 : 0.0);
  }
  return clustered_share(right, whole, clusters);
}

std::optional<Interval> small_sample(const std::string& name, const Outcomes& outcomes,
                                     const DecisionRule& rule, const Clusters& clusters,
                                     double level) {
  if (outcomes.classes() != 2) return std::nullopt;
  std::optional<Spread> spread;
  if (name == "auc")
    spread = clustered_auc(is_class(outcomes.targets, rule.positive),
                           outcomes.scores.scores(rule.positive), clusters);
  else if (name == "accuracy")
    spread = right_share(outcomes, rule, -1, clusters);
  else if (name == "sensitivity")
    spread = right_share(outcomes, rule, rule.positive, clusters);
  else if (name == "specificity")
    spread = right_share(outcomes, rule, 1 - rule.positive, clusters);
  return spread ? logit_t_interval(*spread, level) : std::nullopt;
}

}  // namespace

Uncertainty uncertainty_of(const Outcomes& outcomes, const DecisionRule& rule,
                           const BootstrapOptions& options) {
  require_consistent(outcomes);
  const bool by_patient = !outcomes.groups.empty();
  const auto clusters =
      by_patient ? Clusters::by_group(outcomes.groups, outcomes.targets, outcomes.classes())
                 : Clusters::each_alone(outcomes.targets, outcomes.classes());
  Uncertainty result{by_patient,
                     static_cast<std::int64_t>(clusters.count()),
                     clusters.scarcest(),
                     clusters.quantum(),
                     {}};
  if (!clusters.allow_interval()) return result;
  for (const auto& one : bootstrap(*figures_of(outcomes, rule, clusters), clusters, options)) {
    if (std::isnan(one.estimate)) continue;
    result.figures.push_back({one.name, one.estimate, one.percentile, one.bca,
                              small_sample(one.name, outcomes, rule, clusters, options.level)});
  }
  return result;
}

}  // namespace bcx::eval
