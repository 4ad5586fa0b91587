#include "engine/trained_model.h"

#include <fmt/format.h>
#include <torch/types.h>

#include "base/error.h"
#include "base/signals.h"
#include "base/text.h"
#include "engine/preprocess.h"
#include "eval/temperature.h"
#include "train/checkpoint.h"
#include "train/device.h"

namespace bcx::engine {
namespace {

at::Device chosen_device(const config::Experiment& e) {
  train::apply_process_settings({static_cast<int>(e.train.threads), e.train.deterministic});
  return train::resolve_device(e.train.device);
}

bool holds_average(const weights::SafetensorsFile& file) {
  const auto& tensors = file.tensors();
  return std::any_of(tensors.begin(), tensors.end(),
                     [](const auto& tensor) { return tensor.name.starts_with("ema."); });
}

/// A checkpoint of another data set may fit in shape and mean something else.
void require_classes(const weights::SafetensorsFile& file, const std::vector<std::string>& wanted) {
  const auto text = file.metadata().find("bcx.classes");
  const auto json = text == file.metadata().end()
                        ? nlohmann::json()
                        : nlohmann::json::parse(text->second, nullptr, /*allow_exceptions=*/false);
  if (json == nlohmann::json(wanted)) return;
  std::vector<std::string> found;
  if (json.is_array())
    for (const auto& name : json)
      if (name.is_string()) found.push_back(name.get<std::string>());
  throw Error(ExitCode::data,
              {fmt::format("was trained on the classes {}, the run on {}",
                           printable(join(found, ", ")), printable(join(wanted, ", "))),
               printable(file.path().string()), "name a checkpoint of this run"});
}

nlohmann::json load_checkpoint(const TrainedModel& trained, const Member& member,
                               const model::FlatParameters& parameters) {
  const auto file = weights::SafetensorsFile::open(member.checkpoint);
  auto manifest = train::read_manifest(file);
  require_classes(file, trained.classes);
  train::restore_model(file, holds_average(file) ? "ema." : "model.", parameters);
  return manifest;
}

train::Precision own_precision(const nlohmann::json& manifest, at::Device device) {
  const auto kind = c10::DeviceTypeName(device.type(), /*lower_case=*/true);
  const auto precision = manifest.find("precision");
  if (precision == manifest.end() || !precision->is_string() ||
      manifest.value("device", nlohmann::json()) != nlohmann::json(kind))
    return train::Precision::fp32;
  return train::precision_named(precision->get<std::string>());
}

}  // namespace

nlohmann::json preprocess_states(const nlohmann::json& manifest) {
  return manifest.value("preprocess", nlohmann::json::object());
}

LoadedModel::LoadedModel(const TrainedModel& trained, const Member& member, at::Device device)
    : setup(trained.experiment, trained.catalog, static_cast<std::int64_t>(trained.classes.size()),
            device),
      manifest(load_checkpoint(trained, member, setup.parameters)),
      temperature(member.temperature),
      precision(own_precision(manifest, device)) {}

LoadedModels::LoadedModels(const TrainedModel& trained)
    : trained_(trained), device_(chosen_device(trained.experiment)) {
  for (const auto& member : trained.members)
    models_.push_back(std::make_unique<LoadedModel>(trained, member, device_));
}

train::InputPipeline LoadedModels::input(const data::PixelView& pixels,
                                         std::vector<std::uint64_t> ids) const {
  const auto& e = trained_.experiment;
  train::SampleInfo samples{std::move(ids), {}};
  samples.labels.resize(samples.ids.size());
  auto augmentations = e.evaluate.tta > 1 ? build_augmentations(e.augmentations, trained_.catalog)
                                          : std::vector<train::NamedAugmentation>{};
  return {train::ResidentImages(pixels, device_),
          std::move(samples),
          std::move(augmentations),
          models_.front()->setup.classifier.object->backbone().normalization(),
          e.data.image_size,
          static_cast<std::int64_t>(trained_.classes.size()),
          e.seed};
}

data::PreprocessHook LoadedModels::preprocess() const {
  const auto states = preprocess_states(models_.front()->manifest);
  for (const auto& model : models_)
    if (preprocess_states(model->manifest) != states)
      throw Error(ExitCode::usage, {"every fold fitted its preprocessing on images of its own",
                                    "preprocess", "name the run of one fold"});
  Preprocessing preprocessing(trained_.experiment.preprocess, trained_.catalog);
  preprocessing.prepare({}, {}, states);
  return preprocessing.hook();
}

std::int64_t LoadedModels::batch_size() const {
  const auto& e = trained_.experiment;
  return e.evaluate.batch_size > 0 ? e.evaluate.batch_size : e.train.batch_size;
}

Forward LoadedModels::forward(const train::InputPipeline& input) {
  if (models_.size() > 1)
    return [this, &input](auto indexes, auto views, const auto& progress) {
      return mean(input, indexes, views, progress);
    };
  auto& [object, site] = first().setup.classifier;
  return forward_with(*object, site, input, context_, trained_.experiment, first().precision);
}

std::vector<float> LoadedModels::mean(const train::InputPipeline& input,
                                      std::span<const std::int64_t> indexes, std::int64_t views,
                                      const BatchDone& progress) {
  const auto classes = trained_.classes.size(), count = models_.size();
  const auto total = std::ssize(indexes);
  std::vector<double> sum(indexes.size() * classes, 0.0);
  for (std::size_t m = 0; m < count; ++m) {
    auto& [object, site] = models_[m]->setup.classifier;
    const auto logits =
        forward_with(*object, site, input, context_, trained_.experiment, models_[m]->precision)(
            indexes, views, [&](std::int64_t done, std::int64_t) {
              // Of all models together, in images.
              progress((static_cast<std::int64_t>(m) * total + done) / std::ssize(models_), total);
            });
    const auto p = eval::tempered(logits, static_cast<int>(classes), models_[m]->temperature);
    for (std::size_t i = 0; i < p.size(); ++i)
      for (std::size_t c = 0; c < classes; ++c) sum[i * classes + c] += p.row(i)[c];
  }
  std::vector<float> logits;
  // The smallest positive double keeps log finite where a probability underflowed.
  for (const double one : sum)
    logits.push_back(
        static_cast<float>(std::log(std::max(one / static_cast<double>(count), 1e-300))));
  return logits;
}

}  // namespace bcx::engine
