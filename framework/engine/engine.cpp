#include "engine/engine.h"

#include "engine/augment_preview.h"
#include "engine/bench.h"
#include "engine/evaluate_on.h"
#include "engine/explain.h"
#include "engine/folds.h"
#include "engine/imagenet.h"
#include "engine/model_summary.h"
#include "engine/predict.h"
#include "engine/preprocess.h"
#include "engine/rehearsal.h"
#include "engine/run.h"

namespace bcx::engine {
namespace {

class LibTorchEngine final : public Engine {
 public:
  RunOutcome run(const RunRequest& request, train::Observer& observer) const override {
    return run_experiment(request, observer);
  }
  RunOutcome run_folds(const FoldsRequest& request, train::Observer& observer) const override {
    return engine::run_folds(request, observer);
  }
  RunOutcome evaluate(const EvaluateRequest& request, train::Observer& observer) const override {
    return evaluate_on(request, observer);
  }
  Rehearsal rehearse(const RunRequest& request, std::int64_t steps,
                     train::Observer& observer) const override {
    return engine::rehearse(request, steps, observer);
  }
  LearningRateTest find_learning_rate(const RunRequest& request,
                                      train::Observer& observer) const override {
    return engine::find_learning_rate(request, observer);
  }
  std::string model_summary(const config::Experiment& experiment,
                            const plugin::PluginCatalog& catalog) const override {
    return engine::model_summary(experiment, catalog);
  }
  void augment(const config::Experiment& experiment, const plugin::PluginCatalog& catalog,
               std::span<std::uint8_t> pixels, const data::PixelView& shape,
               const std::vector<std::uint64_t>& ids, std::int64_t epoch) const override {
    augment_preview(experiment, catalog, pixels, shape, ids, epoch);
  }
  void predict(const PredictRequest& request, const TakePredicted& take,
               train::Observer& observer) const override {
    engine::predict(request, take, observer);
  }
  void explain(const ExplainRequest& request, const TakeExplained& take,
               train::Observer& observer) const override {
    engine::explain(request, take, observer);
  }
  std::vector<Measured> bench(const BenchRequest& request) const override {
    return engine::bench(request);
  }
  data::PreprocessHook preprocess(
      const config::Experiment& experiment, const plugin::PluginCatalog& catalog,
      std::span<const std::int64_t> training,
      const std::function<data::Image(std::int64_t)>& read) const override {
    Preprocessing preprocessing(experiment.preprocess, catalog);
    preprocessing.prepare(training, read);
    return preprocessing.hook();
  }
  std::vector<ImageNetPrediction> predict_imagenet(const ImageNetRequest& request) const override {
    return engine::predict_imagenet(request);
  }
};

}  // namespace
}  // namespace bcx::engine

const bcx::engine::Engine* bcx_engine() {
  static const bcx::engine::LibTorchEngine engine;
  return &engine;
}
