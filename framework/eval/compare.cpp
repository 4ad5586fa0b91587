#include "eval/compare.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "eval/small_sample.h"

namespace bcx::eval {
namespace {

using Side = std::span<const Contender>;

void require_same_samples(const Outcomes& reference, Side side) {
  for (const auto& one : side) {
    require_consistent(one.outcomes);
    if (one.outcomes.targets != reference.targets || one.outcomes.groups != reference.groups ||
        one.outcomes.classes() != reference.classes() ||
        one.rule.positive != side.front().rule.positive)
      throw std::invalid_argument("contenders are not about the same samples");
  }
}

std::vector<std::unique_ptr<Figures>> figures_of(Side side, const Clusters& clusters) {
  std::vector<std::unique_ptr<Figures>> all;
  for (const auto& one : side) all.push_back(figures_of(one.outcomes, one.rule, clusters));
  return all;
}

double mean_of(const std::vector<std::unique_ptr<Figures>>& side, const std::string& name,
               const Clusters& clusters) {
  double sum = 0.0;
  for (const auto& one : side) {
    const auto& names = one->names();
    const auto at = std::find(names.begin(), names.end(), name) - names.begin();
    sum += one->estimate(clusters.count())[static_cast<std::size_t>(at)];
  }
  return sum / static_cast<double>(side.size());
}

bool excludes_zero(const std::optional<Interval>& interval) {
  return interval && (interval->low > 0.0 || interval->high < 0.0);
}

/// An interval that could not be computed speaks neither for nor against, but one has to speak for.
bool allows(const std::optional<Interval>& interval) {
  return !interval || excludes_zero(interval);
}

Verdict verdict_of(const FigureDifference& figure, const Clusters& clusters) {
  if (!clusters.allow_interval()) return Verdict::too_few;
  const bool all = excludes_zero(figure.difference.percentile) && allows(figure.difference.bca) &&
                   allows(figure.small_sample);
  return all ? Verdict::established : Verdict::not_established;
}

/// The t interval of one contender a side. Several a side would need their mean scores, which are
/// another model.
std::optional<Interval> small_sample_of(const std::string& name, const Contender& first,
                                        const Contender& second, const Clusters& clusters,
                                        double level) {
  const auto& a = first.outcomes;
  const auto& b = second.outcomes;
  std::optional<Spread> spread;
  if (name == "auc" && a.classes() == 2) {
    const int positive = first.rule.positive;
    spread = clustered_auc_difference(is_class(a.targets, positive), a.scores.scores(positive),
                                      b.scores.scores(positive), clusters);
  } else if (name == "accuracy") {
    const auto decided_a = decide(a.scores, first.rule), decided_b = decide(b.scores, second.rule);
    std::vector<double> part, whole(a.size(), 1.0);
    for (std::size_t i = 0; i < a.size(); ++i)
      part.push_back((decided_b[i] == a.targets[i] ? 1.0 : 0.0) -
                     (decided_a[i] == a.targets[i] ? 1.0 : 0.0));
    spread = clustered_share(part, whole, clusters);
  }
  return spread ? t_interval(*spread, level) : std::nullopt;
}

Agreement agreement_of(const Contender& first, const Contender& second) {
  const auto& a = first.outcomes;
  const auto& b = second.outcomes;
  Agreement result;
  if (is_decided(a, first.rule) && is_decided(b, second.rule)) {
    const auto decided_a = decide(a.scores, first.rule), decided_b = decide(b.scores, second.rule);
    result.share = agreement(decided_a, decided_b);
    result.kappa = kappa(decided_a, decided_b, a.classes());
    result.mcnemar = mcnemar(a.targets, decided_a, decided_b);
  }
  const int positive = first.rule.positive;
  if (a.classes() == 2)
    result.delong =
        delong(is_class(a.targets, positive), a.scores.scores(positive), b.scores.scores(positive));
  return result;
}

}  // namespace

Comparison compare(Side first, Side second, const BootstrapOptions& options) {
  if (first.empty() || second.empty()) throw std::invalid_argument("nothing to compare");
  const Outcomes& reference = first.front().outcomes;
  require_same_samples(reference, first);
  require_same_samples(reference, second);
  const bool by_patient = !reference.groups.empty();
  const auto clusters =
      by_patient ? Clusters::by_group(reference.groups, reference.targets, reference.classes())
                 : Clusters::each_alone(reference.targets, reference.classes());
  Comparison result{by_patient,
                    static_cast<std::int64_t>(clusters.count()),
                    clusters.scarcest(),
                    clusters.quantum(),
                    {},
                    {}};
  const auto of_first = figures_of(first, clusters), of_second = figures_of(second, clusters);
  const auto differences = difference_of(figures_of(first, clusters), figures_of(second, clusters));
  const bool alone = first.size() == 1 && second.size() == 1;
  for (auto& figure : bootstrap(*differences, clusters, options)) {
    FigureDifference one{figure.name,
                         mean_of(of_first, figure.name, clusters),
                         mean_of(of_second, figure.name, clusters),
                         std::move(figure),
                         {},
                         {}};
    if (alone)
      one.small_sample =
          small_sample_of(one.name, first.front(), second.front(), clusters, options.level);
    one.verdict = verdict_of(one, clusters);
    result.figures.push_back(std::move(one));
  }
  result.agreement = agreement_of(first.front(), second.front());
  return result;
}

}  // namespace bcx::eval
