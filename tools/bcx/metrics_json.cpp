#include "metrics_json.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "eval/curves.h"

namespace bcx::cli {
namespace {

using nlohmann::ordered_json;

ordered_json or_null(const eval::Metric& value) {
  return value ? ordered_json(*value) : ordered_json(nullptr);
}

ordered_json interval_json(const std::optional<eval::Interval>& interval) {
  if (!interval) return nullptr;
  return ordered_json::array({interval->low, interval->high});
}

/// Infinity, the first threshold of a ROC curve, becomes null.
ordered_json finite_json(const std::vector<double>& values) {
  auto list = ordered_json::array();
  for (const double value : values)
    list.push_back(std::isfinite(value) ? ordered_json(value) : ordered_json(nullptr));
  return list;
}

/// Every figure that outcomes of this kind have, defined or not.
std::vector<std::string> figure_names(const eval::Outcomes& outcomes,
                                      const eval::DecisionRule& rule) {
  const bool two = outcomes.classes() == 2, decided = eval::is_decided(outcomes, rule);
  std::vector<std::string> names;
  const auto add = [&](bool when, std::initializer_list<const char*> some) {
    if (when) names.insert(names.end(), some.begin(), some.end());
  };
  add(decided,
      {"accuracy", "majority_baseline", "balanced_accuracy", "precision", "recall", "f1", "mcc"});
  add(decided && two, {"sensitivity", "specificity"});
  add(true, {"auc"});
  add(two, {"average_precision"});
  const bool probabilities = outcomes.kind == eval::ScoreKind::probability;
  add(probabilities && two, {"brier"});
  add(probabilities, {"log_loss", "ece"});
  if (outcomes.groups.empty()) return names;
  add(decided, {"patient.accuracy", "patient.balanced_accuracy"});
  add(decided && two, {"patient.sensitivity", "patient.specificity"});
  add(true, {"patient.auc"});
  add(decided, {"patient.majority_accuracy", "patient.score"});
  return names;
}

ordered_json per_class(const eval::Outcomes& outcomes, const eval::DecisionRule& rule) {
  ordered_json json;
  if (eval::is_decided(outcomes, rule)) {
    const eval::Confusion confusion(outcomes.targets, eval::decide(outcomes.scores, rule),
                                    outcomes.classes());
    for (int k = 0; k < outcomes.classes(); ++k) {
      json["precision"].push_back(or_null(confusion.precision(k)));
      json["recall"].push_back(or_null(confusion.recall(k)));
      json["f1"].push_back(or_null(confusion.f1(k)));
    }
  }
  for (int k = 0; k < outcomes.classes(); ++k)
    json["auc"].push_back(
        or_null(eval::roc_auc(eval::is_class(outcomes.targets, k), outcomes.scores.scores(k))));
  return json;
}

/// [target][decision]; of more than 100 classes a list of the pairs that occur: [target, decision,
/// count].
ordered_json confusion_json(const eval::Outcomes& outcomes, const eval::DecisionRule& rule) {
  constexpr int most_for_matrix = 100;
  if (!eval::is_decided(outcomes, rule)) return nullptr;
  const eval::Confusion confusion(outcomes.targets, eval::decide(outcomes.scores, rule),
                                  outcomes.classes());
  if (outcomes.classes() > most_for_matrix) {
    auto cells = ordered_json::array();
    for (const auto& [target, decision, count] : confusion.cells())
      cells.push_back({target, decision, count});
    return {{"cells", cells}};
  }
  auto rows = ordered_json::array();
  for (int t = 0; t < outcomes.classes(); ++t) {
    auto row = ordered_json::array();
    for (int d = 0; d < outcomes.classes(); ++d) row.push_back(confusion.count(t, d));
    rows.push_back(std::move(row));
  }
  return rows;
}

void add_binary_curves(const eval::Outcomes& outcomes, int positive, ordered_json& json) {
  const auto positives = eval::is_class(outcomes.targets, positive);
  const auto scores = outcomes.scores.scores(positive);
  if (const auto roc = eval::roc_curve(positives, scores))
    json["roc"] = {{"fpr", roc->false_positive_rate},
                   {"tpr", roc->true_positive_rate},
                   {"threshold", finite_json(roc->threshold)}};
  if (const auto pr = eval::precision_recall_curve(positives, scores))
    json["pr"] = {
        {"precision", pr->precision}, {"recall", pr->recall}, {"threshold", pr->threshold}};
  if (outcomes.kind != eval::ScoreKind::probability) return;
  auto& decision = json["decision"] = ordered_json::object();
  for (const auto& point : eval::decision_curve(positives, scores)) {
    decision["threshold"].push_back(point.threshold);
    decision["net_benefit"].push_back(point.net_benefit);
    decision["treat_all"].push_back(point.treat_all);
  }
}

ordered_json curves_json(const eval::Outcomes& outcomes, int positive) {
  auto json = ordered_json::object();
  if (outcomes.classes() == 2) add_binary_curves(outcomes, positive, json);
  if (outcomes.kind != eval::ScoreKind::probability) return json;
  for (const auto& bin : eval::calibration_curve(outcomes.targets, outcomes.scores)) {
    json["calibration"]["count"].push_back(bin.count);
    json["calibration"]["confidence"].push_back(bin.confidence);
    json["calibration"]["accuracy"].push_back(bin.accuracy);
  }
  return json;
}

}  // namespace

std::vector<Subgroup> subgroups_of(const PredictionSet& set, const std::string& column) {
  const auto& values = set.attribute(column);
  std::map<std::pair<std::size_t, std::string>, std::vector<std::size_t>> members;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto& value = values[i];
    const bool digits = value.find_first_not_of("0123456789") == std::string::npos;
    // 40 before 100 before any word.
    members[{digits ? value.size() : std::string::npos, value}].push_back(i);
  }
  std::vector<Subgroup> subgroups;
  for (const auto& [key, indexes] : members) {
    Subgroup one{key.second, {}};
    std::vector<double> rows;
    for (const auto i : indexes) {
      one.outcomes.targets.push_back(set.outcomes.targets[i]);
      if (!set.outcomes.groups.empty()) one.outcomes.groups.push_back(set.outcomes.groups[i]);
      const auto row = set.outcomes.scores.row(i);
      rows.insert(rows.end(), row.begin(), row.end());
    }
    one.outcomes.scores = eval::Probabilities(std::move(rows), set.outcomes.classes());
    one.outcomes.kind = set.outcomes.kind;
    subgroups.push_back(std::move(one));
  }
  return subgroups;
}

ordered_json metrics_json(const eval::Outcomes& outcomes, const eval::DecisionRule& rule) {
  ordered_json json;
  json["samples"] = outcomes.size();
  json["metrics"] = ordered_json::object();
  for (const auto& name : figure_names(outcomes, rule)) json["metrics"][name] = nullptr;
  for (const auto& [name, value] : eval::named_metrics(outcomes, "", {.rule = rule}))
    json["metrics"][name] = value;
  json["confusion"] = confusion_json(outcomes, rule);
  json["per_class"] = per_class(outcomes, rule);
  json["curves"] = curves_json(outcomes, rule.positive);
  return json;
}

ordered_json uncertainty_json(const eval::Uncertainty& uncertainty, double level) {
  ordered_json json{{"level", level},
                    {"by", uncertainty.by_patient ? "group" : "sample"},
                    {"clusters", uncertainty.clusters},
                    {"scarcest_class", uncertainty.scarcest},
                    {"quantum", nullptr},
                    {"figures", ordered_json::object()}};
  if (std::isfinite(uncertainty.quantum)) json["quantum"] = uncertainty.quantum;
  for (const auto& one : uncertainty.figures)
    json["figures"][one.name] = {{"value", one.value},
                                 {"percentile", interval_json(one.percentile)},
                                 {"bca", interval_json(one.bca)},
                                 {"small_sample", interval_json(one.small_sample)}};
  return json;
}

}  // namespace bcx::cli
