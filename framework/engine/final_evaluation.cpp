#include "engine/final_evaluation.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"
#include "eval/metrics.h"
#include "eval/temperature.h"
#include "eval/threshold.h"

namespace bcx::engine {
namespace {

using data::Part;

std::size_t class_count(const PreparedData& data) {
  return data.decoded.table.classes.size();
}

double fitted_temperature(const eval::Predictions& predictions, Evaluator& evaluator,
                          train::Observer& observer) {
  const auto fitted = eval::fit_temperature(predictions);
  observer.message(fitted.at_limit ? train::Tone::warning : train::Tone::note,
                   fmt::format("temperature {} (fitted on validation: loss {:.4g} to {:.4g}){}",
                               shortest(fitted.value), fitted.loss_before, fitted.loss_after,
                               fitted.at_limit ? "; a limit: it cannot be calibrated" : ""));
  evaluator.freeze("temperature", fitted.value);
  return fitted.value;
}

double chosen_threshold(const std::string& rule, const PreparedData& data,
                        const eval::Outcomes& outcomes, Evaluator& evaluator,
                        train::Observer& observer) {
  const int positive = data.decoded.table.positive;
  const double threshold = eval::choose_threshold(rule, eval::is_class(outcomes.targets, positive),
                                                  outcomes.scores.scores(positive));
  observer.message(train::Tone::note, fmt::format("threshold {} (chosen on validation: {})",
                                                  shortest(threshold), rule));
  evaluator.freeze("threshold", threshold);
  return threshold;
}

/// The threshold is of two classes alone: of more the class is the most probable one. It is chosen
/// among the probabilities that the temperature makes.
Settled settle(Evaluator& evaluator, const config::Experiment& experiment, const PreparedData& data,
               const tracker::Cursor& cursor, const std::string& checkpoint,
               train::Observer& observer) {
  Settled settled;
  const auto& rule = experiment.evaluate.threshold;
  const bool two_classes = class_count(data) == 2;
  if (two_classes && !eval::is_chosen(rule))
    settled.threshold = eval::choose_threshold(rule, {}, eval::Scores(std::vector<double>{}));
  if (data.part(Part::validation).empty()) return settled;
  auto plan = evaluation_plan(data, Part::validation, "val", "final", cursor);
  plan.checkpoint = checkpoint;
  const auto result = evaluator.evaluate(plan);
  if (experiment.evaluate.temperature == "validation")
    settled.temperature = fitted_temperature(result.predictions, evaluator, observer);
  if (two_classes && !settled.threshold)
    settled.threshold = chosen_threshold(
        rule, data, eval::outcomes_of(result.predictions, settled.temperature.value_or(1.0)),
        evaluator, observer);
  return settled;
}

}  // namespace

void require_choosable_threshold(const config::Experiment& experiment, const PreparedData& data) {
  if (experiment.evaluate.temperature == "validation" && data.part(Part::validation).empty())
    throw Error(ExitCode::data, {"no temperature can be fitted: the validation part is empty",
                                 "evaluate.temperature", "use \"none\", or another split"});
  const auto& images = data.split.images;
  if (images.size() != 2 || !eval::is_chosen(experiment.evaluate.threshold)) return;
  for (std::size_t c = 0; c < images.size(); ++c)
    if (images[c][static_cast<std::size_t>(Part::validation)] == 0)
      throw Error(ExitCode::data,
                  {fmt::format("no threshold can be chosen: the validation part has "
                               "no image of class \"{}\"",
                               printable(data.decoded.table.classes[c])),
                   "evaluate.threshold", "use a number, or another split"});
}

EvaluationPlan evaluation_plan(const PreparedData& data, Part part, const std::string& prefix,
                               const std::string& purpose, const tracker::Cursor& cursor) {
  EvaluationPlan plan;
  plan.part = part;
  plan.prefix = prefix;
  plan.purpose = purpose;
  plan.cursor = cursor;
  plan.rule.positive = data.decoded.table.positive;
  return plan;
}

NamedValues evaluate_test(Evaluator& evaluator, const config::Experiment& experiment,
                          const PreparedData& data, const tracker::Cursor& cursor,
                          const std::string& checkpoint, const Settled& settled) {
  NamedValues all;
  if (data.part(Part::test).empty()) return all;
  for (const std::int64_t views : {std::int64_t{1}, experiment.evaluate.tta}) {
    if (views == 1 && !all.empty()) break;  // evaluate.tta = 1: off
    auto test = evaluation_plan(data, Part::test, views == 1 ? "test" : "test.tta",
                                views == 1 ? "final" : "tta", cursor);
    test.views = views;
    test.checkpoint = checkpoint;
    test.rule.threshold = settled.threshold;
    if (settled.threshold) test.threshold_rule = experiment.evaluate.threshold;
    test.temperature = settled.temperature;
    const auto result = evaluator.evaluate(test);
    evaluator.record_curves(result, test);
    all.insert(all.end(), result.metrics.begin(), result.metrics.end());
  }
  return all;
}

NamedValues evaluate_finally(Evaluator& evaluator, const config::Experiment& experiment,
                             const PreparedData& data, const tracker::Cursor& cursor,
                             const std::string& checkpoint, train::Observer& observer) {
  const auto settled = settle(evaluator, experiment, data, cursor, checkpoint, observer);
  if (!experiment.evaluate.test) return {};
  return evaluate_test(evaluator, experiment, data, cursor, checkpoint, settled);
}

}  // namespace bcx::engine
