#include "engine/evaluation.h"

#include "base/signals.h"
#include "eval/curves.h"

namespace bcx::engine {

Evaluator::Evaluator(const config::Experiment& experiment, const PreparedData& data,
                     model::Classifier& classifier, const plugin::CallSite& backbone_site,
                     const train::InputPipeline& input, sdk::ModelContext& context,
                     train::Precision precision, tracker::RunWriter& tracker,
                     train::Observer& observer)
    : experiment_(experiment),
      data_(data),
      classifier_(classifier),
      backbone_site_(backbone_site),
      input_(input),
      context_(context),
      precision_(precision),
      tracker_(tracker),
      observer_(observer) {}

eval::Predictions Evaluator::predict(const EvaluationPlan& plan,
                                     std::span<const std::int64_t> indexes) {
  const auto& batch = experiment_.evaluate.batch_size;
  const train::ForwardSettings settings{
      .precision = precision_,
      .batch_size = batch > 0 ? batch : experiment_.train.batch_size,
      .views = plan.views};
  eval::Predictions predictions;
  predictions.classes = static_cast<int>(input_.classes());
  predictions.logits =
      train::forward_all(classifier_, backbone_site_, input_, indexes, context_, settings,
                         [&](std::int64_t done, std::int64_t total) {
                           // An epoch's validation is short and its result part of the epoch; a
                           // final one can be repeated.
                           if (plan.purpose != "epoch") throw_if_stopped("evaluating");
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
  result.metrics = eval::named_metrics(result.predictions, plan.prefix, {.rule = plan.rule});
  tracker::EvaluationRow row{.cursor = plan.cursor,
                             .checkpoint = plan.checkpoint,
                             .dataset = {},
                             .part = std::string(data::name_of(plan.part)),
                             .purpose = plan.purpose,
                             .tta = plan.views,
                             .precision = std::string(train::name_of(precision_)),
                             .threshold = plan.threshold_rule,
                             .threshold_value = plan.rule.threshold,
                             .metrics = {}};
  for (const auto& [name, value] : result.metrics)
    row.metrics.emplace_back(name.substr(plan.prefix.size() + 1), value);
  result.id = tracker_.evaluation(row, result.predictions.ids, result.predictions.logits);
  return result;
}

void Evaluator::record_curves(const Result& result) {
  if (result.predictions.classes != 2) return;
  const auto p = eval::Probabilities::softmax(result.predictions.logits, 2);
  const int positive = data_.decoded.table.positive;
  std::vector<bool> positives;
  for (const auto target : result.predictions.targets) positives.push_back(target == positive);
  if (const auto roc = eval::roc_curve(positives, p.scores(positive)))
    tracker_.curve({.kind = "roc",
                    .evaluation = result.id,
                    .x_name = "false_positive_rate",
                    .y_name = "true_positive_rate",
                    .x = roc->false_positive_rate,
                    .y = roc->true_positive_rate});
  if (const auto pr = eval::precision_recall_curve(positives, p.scores(positive)))
    tracker_.curve({.kind = "pr",
                    .evaluation = result.id,
                    .x_name = "recall",
                    .y_name = "precision",
                    .x = pr->recall,
                    .y = pr->precision});
}

}  // namespace bcx::engine
