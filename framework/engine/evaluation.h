// Predictions of a part of the data: made, measured, stored.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "config/experiment.h"
#include "engine/prepare_data.h"
#include "eval/predictions.h"
#include "model/classifier.h"
#include "plugin/call_site.h"
#include "tracker/run_writer.h"
#include "train/forward.h"
#include "train/input.h"
#include "train/observer.h"

namespace bcx::engine {

using NamedValues = std::vector<std::pair<std::string, double>>;

/// What an evaluation is about, beside the model.
struct EvaluationPlan {
  data::Part part = data::Part::validation;
  std::optional<std::vector<std::int64_t>> samples = {};  ///< these of the part; none: all
  std::string prefix;   ///< of the metrics' names: "val", "test", "test.tta"
  std::string purpose;  ///< "epoch", "final", "tta"
  std::int64_t views = 1;
  tracker::Cursor cursor;
  std::string checkpoint;  ///< file the weights came from; empty: those in memory
  eval::DecisionRule rule;
  std::string threshold_rule;         ///< as the experiment says it
  std::optional<double> temperature;  ///< none: probabilities are the model's own
};

using BatchDone = std::function<void(std::int64_t done, std::int64_t total)>;
/// Logits [indexes, classes] of samples, with that many views of test-time augmentation.
using Forward = std::function<std::vector<float>(std::span<const std::int64_t> indexes,
                                                 std::int64_t views, const BatchDone& progress)>;

/// One model in one precision, in batches of evaluate.batch_size. Borrows everything.
Forward forward_with(model::Classifier& classifier, const plugin::CallSite& backbone_site,
                     const train::InputPipeline& input, sdk::ModelContext& context,
                     const config::Experiment& experiment, train::Precision precision);

/// Evaluates parts of one run's data. Borrows everything. One thread.
class Evaluator {
 public:
  Evaluator(const config::Experiment& experiment, const PreparedData& data, Forward forward,
            train::Precision precision, tracker::RunWriter& tracker, train::Observer& observer);

  struct Result {
    eval::Predictions predictions;
    NamedValues metrics;  ///< with the plan's prefix
    std::int64_t id = 0;  ///< the tracker's
  };
  /// Runs the model over the part, stores every prediction and the metrics as one evaluation row. A
  /// stop signal between batches throws bcx::Error (stopped).
  Result evaluate(const EvaluationPlan& plan);

  /// The curves of an evaluation into the tracker: calibration, and of two classes ROC,
  /// precision-recall and net benefit.
  void record_curves(const Result& result, const EvaluationPlan& plan);

  /// A number that validation decided and that everything after it goes by, as a parameter of the
  /// run.
  void freeze(const std::string& key, double value);

 private:
  eval::Predictions predict(const EvaluationPlan& plan, std::span<const std::int64_t> indexes);

  const config::Experiment& experiment_;
  const PreparedData& data_;
  Forward forward_;
  train::Precision precision_;
  tracker::RunWriter& tracker_;
  train::Observer& observer_;
};

}  // namespace bcx::engine
