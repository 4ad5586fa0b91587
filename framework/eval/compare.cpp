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

using Several = std::vector<std::unique_ptr<Figures>>;

Several figures_of(Side side, const Clusters& clusters) {
  Several all;
  for (const auto& one : side) all.push_back(figures_of(one.outcomes, one.rule, clusters));
  return all;
}

/// Each of its own stretch of the samples.
Several fold_figures(Side side, const Clusters& clusters) {
  Several all;
  std::size_t from = 0;
  for (const auto& one : side) {
    const auto size = one.outcomes.size();
    all.push_back(figures_of(one.outcomes, one.rule, clusters.part(from, size)));
    from += size;
  }
  return all;
}

double mean_of(const Several& side, const std::string& name, const Clusters& clusters) {
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

Comparison about(const Clusters& clusters, bool by_patient) {
  return {by_patient,
          static_cast<std::int64_t>(clusters.count()),
          clusters.scarcest(),
          clusters.quantum(),
          {},
          {}};
}

/// `make(side)` builds a side's figures anew.
template <typename Make>
void add_figures(Comparison& result, Side first, Side second, const Clusters& clusters, Make make,
                 const BootstrapOptions& options) {
  const auto of_first = make(first), of_second = make(second);
  for (auto& figure : bootstrap(*difference_of(make(first), make(second)), clusters, options)) {
    FigureDifference one{figure.name,
                         mean_of(of_first, figure.name, clusters),
                         mean_of(of_second, figure.name, clusters),
                         std::move(figure),
                         {},
                         {}};
    if (first.size() == 1 && second.size() == 1)
      one.small_sample =
          small_sample_of(one.name, first.front(), second.front(), clusters, options.level);
    one.verdict = verdict_of(one, clusters);
    result.figures.push_back(std::move(one));
  }
}

Clusters clusters_of(const Outcomes& outcomes) {
  return outcomes.groups.empty()
             ? Clusters::each_alone(outcomes.targets, outcomes.classes())
             : Clusters::by_group(outcomes.groups, outcomes.targets, outcomes.classes());
}

/// All folds' samples in a row, without scores.
Outcomes laid_end_to_end(Side folds) {
  Outcomes all;
  const int classes = folds.front().outcomes.classes();
  const bool grouped = !folds.front().outcomes.groups.empty();
  for (const auto& [outcomes, rule] : folds) {
    if (outcomes.classes() != classes || !outcomes.groups.empty() != grouped)
      throw std::invalid_argument("folds differ in classes or in whether patients are known");
    all.targets.insert(all.targets.end(), outcomes.targets.begin(), outcomes.targets.end());
    all.groups.insert(all.groups.end(), outcomes.groups.begin(), outcomes.groups.end());
  }
  all.scores = Probabilities(
      std::vector<double>(all.targets.size() * static_cast<std::size_t>(classes)), classes);
  return all;
}

std::vector<Label> decisions_of(Side folds) {
  std::vector<Label> all;
  for (const auto& one : folds) {
    const auto decided = decide(one.outcomes.scores, one.rule);
    all.insert(all.end(), decided.begin(), decided.end());
  }
  return all;
}

}  // namespace

Comparison compare(Side first, Side second, const BootstrapOptions& options) {
  if (first.empty() || second.empty()) throw std::invalid_argument("nothing to compare");
  const Outcomes& reference = first.front().outcomes;
  require_same_samples(reference, first);
  require_same_samples(reference, second);
  const auto clusters = clusters_of(reference);
  auto result = about(clusters, !reference.groups.empty());
  add_figures(
      result, first, second, clusters, [&](Side side) { return figures_of(side, clusters); },
      options);
  result.agreement = agreement_of(first.front(), second.front());
  return result;
}

Comparison compare_folds(Side first, Side second, const BootstrapOptions& options) {
  if (first.empty() || first.size() != second.size())
    throw std::invalid_argument("the sides have different folds");
  for (std::size_t i = 0; i < first.size(); ++i) {
    require_consistent(first[i].outcomes);
    require_same_samples(first[i].outcomes, second.subspan(i, 1));
  }
  const auto all = laid_end_to_end(first);
  const auto clusters = clusters_of(all);
  auto result = about(clusters, !all.groups.empty());
  add_figures(
      result, first, second, clusters, [&](Side side) { return fold_figures(side, clusters); },
      options);
  const auto of_first = decisions_of(first), of_second = decisions_of(second);
  result.agreement = {agreement(of_first, of_second), kappa(of_first, of_second, all.classes()),
                      mcnemar(all.targets, of_first, of_second), std::nullopt};
  return result;
}

}  // namespace bcx::eval
