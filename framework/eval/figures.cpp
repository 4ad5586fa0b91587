#include "eval/figures.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "eval/ranking.h"

namespace bcx::eval {
namespace {

double or_nan(const Metric& value) {
  return value.value_or(std::nan(""));
}

/// A mean over samples, kept as one sum and one count for each cluster.
struct Mean {
  std::string name;
  std::vector<double> sum;
  std::vector<std::int64_t> count;

  Mean(std::string called, std::span<const std::uint32_t> of_sample, std::span<const double> values,
       std::size_t clusters)
      : name(std::move(called)), sum(clusters), count(clusters) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      sum[of_sample[i]] += values[i];
      ++count[of_sample[i]];
    }
  }
  double of(std::span<const std::uint32_t> weights) const {
    double total = 0.0;
    std::int64_t samples = 0;
    for (std::size_t c = 0; c < sum.size(); ++c) {
      total += weights[c] * sum[c];
      samples += weights[c] * count[c];
    }
    return samples > 0 ? total / static_cast<double>(samples) : std::nan("");
  }
};

/// What every cluster adds to the counts of decisions, of the classes that it touches.
class Decided {
 public:
  Decided(std::span<const Label> targets, std::span<const Label> decisions, int classes,
          std::span<const std::uint32_t> of_sample)
      : classes_(classes) {
    parts_.reserve(2 * targets.size());
    for (std::size_t i = 0; i < targets.size(); ++i) {
      parts_.push_back({of_sample[i], targets[i], 1, 0, targets[i] == decisions[i]});
      parts_.push_back({of_sample[i], decisions[i], 0, 1, 0});
    }
    std::sort(parts_.begin(), parts_.end(), [](const Part& a, const Part& b) {
      return std::pair(a.cluster, a.of_class) < std::pair(b.cluster, b.of_class);
    });
    std::size_t last = 0;
    for (std::size_t i = 1; i < parts_.size(); ++i) {
      if (parts_[i].cluster != parts_[last].cluster ||
          parts_[i].of_class != parts_[last].of_class) {
        parts_[++last] = parts_[i];
        continue;
      }
      parts_[last].targets += parts_[i].targets;
      parts_[last].decisions += parts_[i].decisions;
      parts_[last].right += parts_[i].right;
    }
    if (!parts_.empty()) parts_.resize(last + 1);
    parts_.shrink_to_fit();
  }
  DecisionCounts of(std::span<const std::uint32_t> weights) const {
    DecisionCounts counts(classes_);
    for (const Part& part : parts_)
      if (const std::int64_t weight = weights[part.cluster]; weight > 0)
        counts.add_class(part.of_class, weight * part.targets, weight * part.decisions,
                         weight * part.right);
    return counts;
  }

 private:
  struct Part {
    std::uint32_t cluster;
    Label of_class;
    std::int64_t targets, decisions, right;
  };
  int classes_;
  std::vector<Part> parts_;  // by cluster, then class
};

/// Everything about one kind of unit, images or patients.
class OutcomeFigures : public Figures {
 public:
  OutcomeFigures(const Outcomes& outcomes, const DecisionRule& rule,
                 std::span<const std::uint32_t> of_sample, std::size_t clusters, bool patients)
      : rule_(rule), clusters_(clusters), patients_(patients), binary_(outcomes.classes() == 2) {
    for (int k = 0; k < outcomes.classes(); ++k) {
      if (binary_ && k != rule.positive) continue;
      rankings_.emplace_back(is_class(outcomes.targets, k), outcomes.scores.scores(k), of_sample);
    }
    name("auc");
    if (binary_ && !patients) name("average_precision");
    if (is_decided(outcomes, rule)) {
      decided_.emplace_back(outcomes.targets, decide(outcomes.scores, rule), outcomes.classes(),
                            of_sample);
      for (const char* one : {"accuracy", "balanced_accuracy"}) name(one);
      if (binary_)
        for (const char* one : {"sensitivity", "specificity"}) name(one);
      if (!patients)
        for (const char* one : {"precision", "recall", "f1", "mcc"}) name(one);
    }
    if (!patients && outcomes.kind == ScoreKind::probability) add_losses(outcomes, of_sample);
  }

  /// Another mean over the units; values[i] belongs to unit i.
  void add_mean(const char* called, std::span<const std::uint32_t> of_sample,
                std::span<const double> values) {
    name(called);
    means_.emplace_back(called, of_sample, values, clusters_);
  }

  const std::vector<std::string>& names() const override { return names_; }

  void compute(std::span<const std::uint32_t> weights, std::span<double> values) const override {
    std::size_t at = 0;
    const auto put = [&](double value) { values[at++] = value; };
    double auc = 0.0, precision = std::nan("");
    for (const auto& ranking : rankings_) {
      if (std::isnan(auc)) break;  // a class is missing: the mean of all is undefined
      const auto area = ranking.weighted(weights, binary_ && !patients_);
      auc += area.auc / static_cast<double>(rankings_.size());
      precision = area.average_precision;
    }
    put(auc);
    if (binary_ && !patients_) put(precision);
    if (!decided_.empty()) put_decisions(decided_[0].of(weights), put);
    for (const auto& mean : means_) put(mean.of(weights));
  }

 private:
  void name(const char* one) { names_.push_back((patients_ ? "patient." : "") + std::string(one)); }

  void add_losses(const Outcomes& outcomes, std::span<const std::uint32_t> of_sample) {
    std::vector<double> log_losses, squares;
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
      const auto row = outcomes.scores.row(i);
      const Probabilities one({row.begin(), row.end()}, outcomes.classes());
      const auto target = std::span(outcomes.targets).subspan(i, 1);
      log_losses.push_back(*log_loss(target, one));
      if (binary_)
        squares.push_back(*brier({target[0] == rule_.positive}, one.scores(rule_.positive)));
    }
    if (binary_) add_mean("brier", of_sample, squares);
    add_mean("log_loss", of_sample, log_losses);
  }

  template <typename Put>
  void put_decisions(const DecisionCounts& counts, Put put) const {
    put(or_nan(counts.accuracy()));
    put(or_nan(counts.balanced_accuracy()));
    if (binary_) {
      put(or_nan(counts.recall(rule_.positive)));
      put(or_nan(counts.specificity(rule_.positive)));
    }
    if (patients_) return;
    put(or_nan(binary_ ? counts.precision(rule_.positive) : counts.macro_precision()));
    put(or_nan(binary_ ? counts.recall(rule_.positive) : counts.macro_recall()));
    put(or_nan(binary_ ? counts.f1(rule_.positive) : counts.macro_f1()));
    put(or_nan(counts.mcc()));
  }

  DecisionRule rule_;
  std::size_t clusters_;
  bool patients_, binary_;
  std::vector<std::string> names_;
  std::vector<Ranking> rankings_;
  std::vector<Decided> decided_;  // none or one
  std::vector<Mean> means_;
};

/// The figures of images, and behind them those of patients.
class Both : public Figures {
 public:
  Both(std::unique_ptr<Figures> first, std::unique_ptr<Figures> second)
      : first_(std::move(first)), second_(std::move(second)), names_(first_->names()) {
    names_.insert(names_.end(), second_->names().begin(), second_->names().end());
  }
  const std::vector<std::string>& names() const override { return names_; }
  void compute(std::span<const std::uint32_t> weights, std::span<double> values) const override {
    const auto middle = first_->names().size();
    first_->compute(weights, values.first(middle));
    second_->compute(weights, values.subspan(middle));
  }

 private:
  std::unique_ptr<Figures> first_, second_;
  std::vector<std::string> names_;
};

/// The cluster that each patient's samples are in. A patient stands once per target.
std::vector<std::uint32_t> clusters_of(const PatientPredictions& patients, const Outcomes& outcomes,
                                       const Clusters& clusters) {
  std::vector<std::uint32_t> found(patients.groups.size());
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    const auto range =
        std::equal_range(patients.groups.begin(), patients.groups.end(), outcomes.groups[i]);
    for (auto at = range.first; at != range.second; ++at)
      found[static_cast<std::size_t>(at - patients.groups.begin())] = clusters.of_sample()[i];
  }
  return found;
}

/// Figures per patient need patients, each of them within one cluster: not when images are drawn
/// one by one.
bool has_patients(const Outcomes& outcomes, const Clusters& clusters) {
  if (outcomes.groups.empty()) return false;
  auto used = std::vector<std::uint32_t>(clusters.of_sample().begin(), clusters.of_sample().end());
  std::sort(used.begin(), used.end());
  const auto count = std::unique(used.begin(), used.end()) - used.begin();
  return static_cast<std::ptrdiff_t>(
             Clusters::by_group(outcomes.groups, outcomes.targets, outcomes.classes()).count()) ==
         count;
}

class Difference : public Figures {
 public:
  using Several = std::vector<std::unique_ptr<Figures>>;
  Difference(Several first, Several second) : first_(std::move(first)), second_(std::move(second)) {
    for (const auto& name : first_.front()->names())
      if (everybody_has(name)) names_.push_back(name);
  }
  const std::vector<std::string>& names() const override { return names_; }
  void compute(std::span<const std::uint32_t> weights, std::span<double> values) const override {
    std::fill(values.begin(), values.end(), 0.0);
    add(first_, -1.0, weights, values);
    add(second_, 1.0, weights, values);
  }

 private:
  static std::size_t place(const Figures& figures, const std::string& name) {
    const auto& names = figures.names();
    return static_cast<std::size_t>(std::find(names.begin(), names.end(), name) - names.begin());
  }
  bool everybody_has(const std::string& name) const {
    const auto has = [&](const auto& one) { return place(*one, name) < one->names().size(); };
    return std::all_of(first_.begin(), first_.end(), has) &&
           std::all_of(second_.begin(), second_.end(), has);
  }
  void add(const Several& several, double sign, std::span<const std::uint32_t> weights,
           std::span<double> values) const {
    for (const auto& one : several) {
      std::vector<double> all(one->names().size());
      one->compute(weights, all);
      for (std::size_t i = 0; i < names_.size(); ++i)
        values[i] += sign * all[place(*one, names_[i])] / static_cast<double>(several.size());
    }
  }
  Several first_, second_;
  std::vector<std::string> names_;
};

}  // namespace

std::vector<double> Figures::estimate(std::size_t clusters) const {
  const std::vector<std::uint32_t> once(clusters, 1);
  std::vector<double> values(names().size());
  compute(once, values);
  return values;
}

std::unique_ptr<Figures> figures_of(const Outcomes& outcomes, const DecisionRule& rule,
                                    const Clusters& clusters) {
  require_consistent(outcomes);
  auto images = std::make_unique<OutcomeFigures>(outcomes, rule, clusters.of_sample(),
                                                 clusters.count(), false);
  if (!has_patients(outcomes, clusters)) return images;
  const auto patients = by_patient(outcomes, rule);
  const Outcomes units{
      patients.targets, Probabilities(patients.mean, outcomes.classes()), {}, outcomes.kind};
  const auto of_unit = clusters_of(patients, outcomes, clusters);
  auto people = std::make_unique<OutcomeFigures>(units, rule, of_unit, clusters.count(), true);
  if (is_decided(outcomes, rule)) {
    std::vector<double> majority;
    for (std::size_t i = 0; i < patients.targets.size(); ++i)
      majority.push_back(patients.majority[i] == patients.targets[i] ? 1.0 : 0.0);
    people->add_mean("majority_accuracy", of_unit, majority);
    people->add_mean("score", of_unit, patients.right);
  }
  return std::make_unique<Both>(std::move(images), std::move(people));
}

std::unique_ptr<Figures> difference_of(std::vector<std::unique_ptr<Figures>> first,
                                       std::vector<std::unique_ptr<Figures>> second) {
  if (first.empty() || second.empty()) throw std::invalid_argument("nothing to compare");
  return std::make_unique<Difference>(std::move(first), std::move(second));
}

}  // namespace bcx::eval
