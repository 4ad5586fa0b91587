#include <cmath>
#include <nlohmann/json.hpp>

#include "compare_answer.h"
#include "report/verdict.h"

namespace bcx::cli {
namespace {

using eval::Comparison;
using eval::Verdict;
using nlohmann::ordered_json;
using Side = std::vector<report::ComparedRun>;

ordered_json number_json(double value) {
  return std::isfinite(value) ? ordered_json(value) : ordered_json(nullptr);
}

ordered_json interval_json(const std::optional<eval::Interval>& interval) {
  if (!interval) return nullptr;
  return ordered_json::array({interval->low, interval->high});
}

ordered_json side_json(const Side& side) {
  auto list = ordered_json::array();
  for (const auto& one : side) {
    list.push_back({{"id", one.run.id}, {"name", one.run.name}, {"seed", one.run.seed}});
    auto& stamps = list.back()["stamps"] = ordered_json::array();
    for (const auto& stamp : one.run.stamps) stamps.push_back(stamp.name);
    list.back()["look"] = one.evaluation.look;
  }
  return list;
}

ordered_json figures_json(const Comparison& comparison) {
  auto json = ordered_json::object();
  for (const auto& one : comparison.figures) {
    const bool interval = one.verdict != Verdict::too_few;
    json[one.name] = {
        {"a", number_json(one.first)},
        {"b", number_json(one.second)},
        {"difference", number_json(one.difference.estimate)},
        {"percentile", interval ? interval_json(one.difference.percentile) : nullptr},
        {"bca", interval ? interval_json(one.difference.bca) : nullptr},
        {"small_sample", interval ? interval_json(one.small_sample) : nullptr},
        {"verdict", one.verdict == Verdict::established ? "established" : "not_established"},
        {"too_few_patients", one.verdict == Verdict::too_few}};
  }
  return json;
}

ordered_json agreement_json(const eval::Agreement& agreement) {
  auto json = ordered_json::object();
  json["share"] = agreement.share ? ordered_json(*agreement.share) : nullptr;
  json["kappa"] = agreement.kappa ? ordered_json(*agreement.kappa) : nullptr;
  if (const auto& test = agreement.mcnemar)
    json["mcnemar"] = {{"only_a", test->only_first},
                       {"only_b", test->only_second},
                       {"exact", test->exact},
                       {"mid_p", test->mid_p},
                       {"assumes", "independent images"}};
  if (const auto& test = agreement.delong)
    json["delong"] = {{"standard_error", test->standard_error},
                      {"z", number_json(test->z)},
                      {"p", test->p},
                      {"assumes", "independent images"}};
  return json;
}

ordered_json alone_json(const CompareAnswer& found) {
  auto list = ordered_json::array();
  for (const auto& one : found.alone) {
    ordered_json json{{"id", one.run.run.id},
                      {"samples", one.run.predictions.size()},
                      {"by", one.uncertainty.by_patient ? "patient" : "sample"},
                      {"clusters", one.uncertainty.clusters}};
    auto& figures = json["figures"] = ordered_json::object();
    for (const auto& [name, value] : one.metrics) {
      const auto* interval = interval_of(one, name);
      figures[name] = {
          {"value", number_json(value)},
          {"bca", interval ? interval_json(interval->bca) : nullptr},
          {"small_sample", interval ? interval_json(interval->small_sample) : nullptr}};
    }
    list.push_back(std::move(json));
  }
  return list;
}

}  // namespace

ordered_json answer_json(const CompareAnswer& found, const CompareOptions& options) {
  ordered_json json{{"a", side_json(found.first)}, {"b", side_json(found.second)}};
  json["configuration"] = ordered_json::object();
  for (const auto& one : report::differing_params(found.first, found.second))
    json["configuration"][one.key] = {{"a", one.first}, {"b", one.second}};
  json["part"] = found.first.front().evaluation.row.part;
  json["metric"] = options.metric;
  if (found.obstacle) {
    json["verdict"] = "not_comparable";
    json["reason"] = *found.obstacle;
    json["alone"] = alone_json(found);
    return json;
  }
  const auto& comparison = *found.comparison;
  const auto& figure = *figure_of(comparison, options.metric);
  json["verdict"] = figure.verdict == Verdict::established ? "established" : "not_established";
  json["reason"] = report::in_words(figure, "A", "B");
  json["samples"] = found.images();
  json["folds"] = found.folds ? ordered_json(found.first.size()) : ordered_json(nullptr);
  json["by"] = comparison.by_patient ? "patient" : "sample";
  json["clusters"] = comparison.clusters;
  json["scarcest_class"] = comparison.scarcest;
  json["quantum"] = number_json(comparison.quantum);
  json["figures"] = figures_json(comparison);
  json["agreement"] = agreement_json(comparison.agreement);
  json["resamples"] = options.bootstrap;
  json["seed"] = options.seed;
  return json;
}

}  // namespace bcx::cli
