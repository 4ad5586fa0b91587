#include "engine/evaluation.h"

#include "base/signals.h"
#include "eval/metrics.h"
#include "eval/stored_curves.h"

namespace bcx::engine {

Forward forward_with(model::Classifier& classifier, const plugin::CallSite& backbone_site,
                     const train::InputPipeline& input, sdk::ModelContext& context,
                     const config::Experiment& experiment, train::Precision precision) {
  const auto batch = experiment.evaluate.batch_size > 0 ? experiment.evaluate.batch_size
                                                        : experiment.train.batch_size;
  return [&, precision, batch](std::span<const std::int64_t> indexes, std::int64_t views,
                               const BatchDone& progress) {
    return train::forward_all(classifier, backbone_site, input, indexes, context,
                              {precision, batch, views}, progress);
  };
}

Evaluator::Evaluator(const config::Experiment& experiment, const PreparedData& data,
                     Forward forward, train::Precision precision, tracker::RunWriter& tracker,
                     train::Observer& observer)
    : experiment_(experiment),
      data_(data),
      forward_(std::move(forward)),
      precision_(precision),
      tracker_(tracker),
      observer_(observer) {}

eval::Predictions Evaluator::predict(const EvaluationPlan& plan,
                                     std::span<const std::int64_t> indexes) {
  eval::Predictions predictions;
  predictions.classes = static_cast<int>(data_.decoded.table.classes.size());
  predictions.logits = forward_(indexes, plan.views, [&](std::int64_t done, std::int64_t total) {
    throw_if_stopped(plan.purpose == "epoch" ? "validating" : "evaluating");
    observer_.progress({.phase = plan.prefix, .done = done, .total = total});
  });
  for (const auto i : indexes) {
    const auto n = static_cast<std::size_t>(i);
    predictions.ids.push_back(data_.decoded.table.samples[n].id);
    predictions.targets.push_back(data_.decoded.table.samples[n].label);
    if (!data_.patients.empty()) predictions.groups.push_back(data_.patients[n]);
  }
  return predictions;
}

Evaluator::Result Evaluator::evaluate(const EvaluationPlan& plan) {
  auto indexes = plan.samples ? *plan.samples : data_.part(plan.part);
  const auto& train = experiment_.train;
  if (const auto most = train.limit_batches * train.batch_size;
      most > 0 && std::ssize(indexes) > most)
    indexes.resize(static_cast<std::size_t>(most));
  Result result;
  result.predictions = predict(plan, indexes);
  result.metrics =
      eval::named_metrics(result.predictions, plan.prefix,
                          {.rule = plan.rule, .temperature = plan.temperature.value_or(1.0)});
  tracker::EvaluationRow row{.cursor = plan.cursor,
                             .checkpoint = plan.checkpoint,
                             .dataset = {},
                             .part = std::string(data::name_of(plan.part)),
                             .purpose = plan.purpose,
                             .tta = plan.views,
                             .precision = std::string(train::name_of(precision_)),
                             .threshold = plan.threshold_rule,
                             .threshold_value = plan.rule.threshold,
                             .temperature = plan.temperature,
                             .metrics = {}};
  for (const auto& [name, value] : result.metrics)
    row.metrics.emplace_back(name.substr(plan.prefix.size() + 1), value);
  result.id = tracker_.evaluation(row, result.predictions.ids, result.predictions.logits);
  return result;
}

void Evaluator::freeze(const std::string& key, double value) {
  tracker_.param({.key = key, .value = value, .list = false, .origin = "chosen on validation"});
}

void Evaluator::record_curves(const Result& result, const EvaluationPlan& plan) {
  const auto outcomes = eval::outcomes_of(result.predictions, plan.temperature.value_or(1.0));
  for (auto& curve : eval::stored_curves(outcomes, data_.decoded.table.positive))
    tracker_.curve({.kind = std::move(curve.kind),
                    .evaluation = result.id,
                    .x_name = std::move(curve.x_name),
                    .y_name = std::move(curve.y_name),
                    .x = std::move(curve.x),
                    .y = std::move(curve.y)});
}

}  // namespace bcx::engine
