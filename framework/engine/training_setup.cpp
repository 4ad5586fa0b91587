#include "engine/training_setup.h"

#include <fmt/format.h>
#include <torch/types.h>

#include <set>

#include "base/signals.h"
#include "base/text.h"
#include "engine/load_weights.h"
#include "train/auto_precision.h"
#include "train/device.h"
#include "weights/resolve.h"

namespace bcx::engine {
namespace {

Built<std::shared_ptr<model::Classifier>> on_device(
    Built<std::shared_ptr<model::Classifier>> classifier, at::Device device) {
  classifier.object->to(device);
  return classifier;
}

std::int64_t class_count(const PreparedData& data) {
  return static_cast<std::int64_t>(data.decoded.table.classes.size());
}

std::unique_ptr<train::Loss> make_loss(const config::Experiment& experiment,
                                       const train::Candidates& candidates,
                                       const PreparedData& data, at::Device device) {
  std::vector<std::int64_t> counts(static_cast<std::size_t>(class_count(data)), 0);
  for (const auto label : candidates.labels) ++counts[static_cast<std::size_t>(label)];
  return train::make_loss(experiment.loss, {counts, data.decoded.table.positive},
                          at::TensorOptions().dtype(at::kFloat).device(device));
}

train::StepSettings step_settings(const config::Experiment& e,
                                  const model::FlatParameters& parameters) {
  const auto device = parameters.values().device();
  return {
      .precision = e.train.precision == "fp16" ? train::Precision::fp16 : train::Precision::fp32,
      .clip_norm = e.train.clip_norm,
      .multipliers = model::multipliers(e.parameter_groups, parameters.parameters()),
      .train_frozen_batch_norm = e.train.train_frozen_batch_norm,
      .round_weights_once = !device.is_cpu(),
      .seed = e.seed,
      .undo_skipped = e.train.not_finite == "skip",
      .allow_parts = e.train.allow_micro_batches,
      .record = e.train.cuda_graph ? train::work_recorder(device) : train::RecordWork()};
}

}  // namespace

ModelSetup::ModelSetup(const config::Experiment& experiment, const plugin::PluginCatalog& catalog,
                       std::int64_t classes, at::Device device)
    : classifier(on_device(build_classifier(experiment, catalog, classes), device)),
      parameters(*classifier.object) {}

std::string ModelSetup::load_published(const config::Experiment& experiment, bool may_fetch) {
  if (experiment.model.weights == "none") return "random weights";
  const auto file =
      weights::resolve_weights(experiment.model.weights, experiment.model.backbone.name, may_fetch);
  return fmt::format("{} ({})", printable(file.filename().string()),
                     load_weights(file, parameters));
}

train::InputPipeline make_input(const config::Experiment& experiment,
                                const plugin::PluginCatalog& catalog, const PreparedData& data,
                                const sdk::Normalization& normalization, at::Device device) {
  train::SampleInfo samples;
  for (const auto& sample : data.decoded.table.samples) {
    samples.ids.push_back(sample.id);
    samples.labels.push_back(sample.label);
  }
  return {train::ResidentImages(data.decoded.pixels.view(), device),
          std::move(samples),
          experiment.train.overfit_batches > 0
              ? std::vector<train::NamedAugmentation>()
              : build_augmentations(experiment.augmentations, catalog),
          normalization,
          experiment.data.image_size,
          class_count(data),
          experiment.seed};
}

namespace {

/// The training part, or with train.overfit_batches the same few batches of it for good.
train::Candidates chosen_candidates(const config::Experiment& e, const PreparedData& data) {
  auto all = data.candidates();
  if (e.train.overfit_batches == 0) return all;
  const auto wanted =
      std::min<std::int64_t>(std::ssize(all.indexes), e.train.overfit_batches * e.train.batch_size);
  const auto order = train::epoch_order(all, "shuffle", e.seed, 0);
  const std::set<std::int64_t> kept(order.begin(), order.begin() + wanted);
  train::Candidates few;
  for (std::size_t i = 0; i < all.indexes.size(); ++i) {
    if (!kept.contains(all.indexes[i])) continue;
    few.indexes.push_back(all.indexes[i]);
    few.labels.push_back(all.labels[i]);
    if (!all.groups.empty()) few.groups.push_back(all.groups[i]);
  }
  return few;
}

}  // namespace

TrainingSetup::TrainingSetup(const RunRequest& request, const PreparedData& data, at::Device device)
    : model(request.experiment, request.catalog, class_count(data), device),
      weights(model.load_published(request.experiment, request.may_fetch_weights)),
      candidates(chosen_candidates(request.experiment, data)),
      input(make_input(request.experiment, request.catalog, data,
                       model.classifier.object->backbone().normalization(), device)),
      optimizer(build_optimizer(request.experiment.optimizer, request.catalog)),
      loss(make_loss(request.experiment, candidates, data, device)),
      step(*model.classifier.object, model.parameters, *optimizer.object, optimizer.site,
           model.classifier.site, *loss, step_settings(request.experiment, model.parameters)),
      callbacks(build_callbacks(request.experiment.callbacks, request.catalog)) {
  step.set_frozen(request.experiment.train.freeze);
}

std::string TrainingSetup::choose_precision(const config::Experiment& e) {
  const auto order = train::epoch_order(candidates, "shuffle", e.seed, 0);
  const auto batch = train::batches(order, e.train.batch_size, "keep").front();
  const auto choice =
      train::choose_precision(input.device(), e.model.backbone.name, e.data.image_size,
                              e.train.batch_size, [&](train::Precision precision) {
                                throw_if_stopped("timing precisions");
                                step.rehearse(input.training(batch, {}, 0), precision);
                              });
  step.set_precision(choice.precision);
  return choice.reason;
}

}  // namespace bcx::engine
