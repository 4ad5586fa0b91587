// What a run is judged by: thresholds from validation, then the test part.
#pragma once

#include <optional>
#include <string>

#include "engine/evaluation.h"

namespace bcx::engine {

/// Throws bcx::Error (data) when the experiment wants a threshold or a temperature from validation
/// images and there are none (of a class, for the threshold): said before the training, not after.
void require_choosable_threshold(const config::Experiment& experiment, const PreparedData& data);

/// The plan of an evaluation at `cursor`, with the data set's positive class.
EvaluationPlan evaluation_plan(const PreparedData& data, data::Part part, const std::string& prefix,
                               const std::string& purpose, const tracker::Cursor& cursor);

/// What validation decides before anybody looks at the test part. No threshold: the most probable
/// class.
struct Settled {
  std::optional<double> threshold, temperature;
};

/// Evaluates the weights that are in the model on the test part, without and with test-time
/// augmentation. `checkpoint`: the file they came from. Returns the metrics; empty without a test
/// part.
NamedValues evaluate_test(Evaluator& evaluator, const config::Experiment& experiment,
                          const PreparedData& data, const tracker::Cursor& cursor,
                          const std::string& checkpoint, const Settled& settled);

/// Evaluates the weights that are in the model: the validation part (whose predictions decide the
/// temperature and the threshold, when the experiment says so), then evaluate_test(), unless
/// evaluate.test is off.
NamedValues evaluate_finally(Evaluator& evaluator, const config::Experiment& experiment,
                             const PreparedData& data, const tracker::Cursor& cursor,
                             const std::string& checkpoint, train::Observer& observer);

}  // namespace bcx::engine
