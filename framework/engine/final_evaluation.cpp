#include "engine/final_evaluation.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"
#include "eval/threshold.h"

namespace bcx::engine {
namespace {

using data::Part;

std::size_t class_count(const PreparedData& data) {
  return data.decoded.table.classes.size();
}

double chosen_threshold(const std::string& rule, const PreparedData& data,
                        const eval::Predictions& predictions, train::Observer& observer) {
  const int positive = data.decoded.table.positive;
  const auto p = eval::Probabilities::softmax(predictions.logits, 2);
  std::vector<bool> positives;
  for (const auto target : predictions.targets) positives.push_back(target == positive);
  const double threshold = eval::choose_threshold(rule, positives, p.scores(positive));
  observer.message(train::Tone::note, fmt::format("threshold {} (chosen on validation: {})",
                                                  shortest(threshold), rule));
  return threshold;
}

/// Of two classes: the number that the experiment gives, or the one that its rule chooses from the
/// validation part. None for more classes, where the class is the most probable one.
std::optional<double> threshold(Evaluator& evaluator, const config::Experiment& experiment,
                                const PreparedData& data, const tracker::Cursor& cursor,
                                const std::string& checkpoint, train::Observer& observer) {
  if (class_count(data) != 2) return std::nullopt;
  const auto& rule = experiment.evaluate.threshold;
  std::optional<double> value;
  if (!eval::is_chosen(rule))
    value = eval::choose_threshold(rule, {}, eval::Scores(std::vector<double>{}));
  if (data.part(Part::validation).empty()) return value;
  auto plan = evaluation_plan(data, Part::validation, "val", "final", cursor);
  plan.checkpoint = checkpoint;
  const auto result = evaluator.evaluate(plan);
  return value ? value : chosen_threshold(rule, data, result.predictions, observer);
}

}  // namespace

void require_choosable_threshold(const config::Experiment& experiment, const PreparedData& data) {
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

NamedValues evaluate_finally(Evaluator& evaluator, const config::Experiment& experiment,
                             const PreparedData& data, const tracker::Cursor& cursor,
                             const std::string& checkpoint, train::Observer& observer) {
  const auto value = threshold(evaluator, experiment, data, cursor, checkpoint, observer);
  NamedValues all;
  if (data.part(Part::test).empty()) return all;
  for (const std::int64_t views : {std::int64_t{1}, experiment.evaluate.tta}) {
    if (views == 1 && !all.empty()) break;  // evaluate.tta = 1: off
    auto test = evaluation_plan(data, Part::test, views == 1 ? "test" : "test.tta",
                                views == 1 ? "final" : "tta", cursor);
    test.views = views;
    test.checkpoint = checkpoint;
    test.rule.threshold = value;
    if (value) test.threshold_rule = experiment.evaluate.threshold;
    const auto result = evaluator.evaluate(test);
    evaluator.record_curves(result);
    all.insert(all.end(), result.metrics.begin(), result.metrics.end());
  }
  return all;
}

}  // namespace bcx::engine
