#include "config/bind.h"

#include <fmt/format.h>

namespace bcx::config {
namespace {

namespace fs = std::filesystem;

/// Assigns the keys of one section to fields of the matching type.
class Reader {
 public:
  Reader(const Resolution& resolution, std::string section)
      : resolution_(resolution), section_(std::move(section)) {}

  template <typename T>
  const Reader& operator()(const char* key, T& field) const {
    field = resolution_.get<T>(section_ + "." + key);
    return *this;
  }
  const Reader& operator()(const char* key, fs::path& field) const {
    field = resolution_.get<std::string>(section_ + "." + key);
    return *this;
  }
  const Reader& operator()(const char* key, std::vector<fs::path>& field) const {
    const auto texts = resolution_.get<std::vector<std::string>>(section_ + "." + key);
    field.assign(texts.begin(), texts.end());
    return *this;
  }

 private:
  const Resolution& resolution_;
  std::string section_;
};

DataConfig bind_data(const Resolution& resolution) {
  DataConfig data;
  Reader(resolution, "data")("source", data.source)("root", data.root)("pattern", data.pattern)(
      "magnifications", data.magnifications)("classes", data.classes)("positive", data.positive)(
      "patient", data.patient)("image_size", data.image_size)("cache_size", data.cache_size)(
      "resize", data.resize)("interpolation", data.interpolation)("workers", data.workers)(
      "unreadable", data.unreadable);
  auto& split = data.split;
  std::int64_t seed = 0;
  Reader(resolution, "data.split")("by", split.by)("method", split.method)(
      "validation", split.validation)("test", split.test)("stratify", split.stratify)(
      "folds", split.folds)("fold", split.fold)("repeats", split.repeats)("seed", seed)(
      "files", split.files);
  split.seed = static_cast<std::uint64_t>(seed);
  const auto* by = resolution.find("data.split.by");
  split.by_given = by && by->origin.kind != Origin::Kind::schema_default;
  Reader(resolution, "data.audit")("allow", data.allow);
  return data;
}

std::vector<Component> bind_components(const Resolution& resolution, ComponentKind kind) {
  const auto found = resolution.components.find(kind);
  return found == resolution.components.end() ? std::vector<Component>{} : found->second;
}

Component bind_component(const Resolution& resolution, ComponentKind kind) {
  auto all = bind_components(resolution, kind);
  Component none;
  none.kind = kind;
  return all.empty() ? none : std::move(all.front());
}

ModelConfig bind_model(const Resolution& resolution) {
  ModelConfig model;
  model.backbone = bind_component(resolution, ComponentKind::backbone);
  Reader(resolution, "model")("weights", model.weights);
  auto& head = model.head;
  Reader(resolution, "model.head")("kind", head.kind)("pool", head.pool)("dropout", head.dropout)(
      "batch_norm", head.batch_norm);
  return model;
}

std::size_t count_of(const Resolution& resolution, std::string_view section) {
  const auto found = resolution.counts.find(section);
  return found == resolution.counts.end() ? 0 : found->second;
}

ParameterGroupsConfig bind_parameter_groups(const Resolution& resolution) {
  ParameterGroupsConfig groups;
  Reader(resolution, "optimizer")("no_decay", groups.no_decay)("layer_decay", groups.layer_decay)(
      "head_multiplier", groups.head_multiplier);
  for (std::size_t i = 1; i <= count_of(resolution, "optimizer.group"); ++i) {
    auto& group = groups.groups.emplace_back();
    Reader(resolution, fmt::format("optimizer.group.#{}", i))("pattern", group.pattern)(
        "learning_rate_multiplier", group.learning_rate_multiplier)("weight_decay_multiplier",
                                                                    group.weight_decay_multiplier);
  }
  return groups;
}

ScheduleConfig bind_schedule(const Resolution& resolution) {
  ScheduleConfig schedule;
  Reader(resolution, "schedule")("name", schedule.name)("unit", schedule.unit)(
      "warmup", schedule.warmup)("warmup_factor", schedule.warmup_factor)(
      "horizon", schedule.horizon)("min_learning_rate", schedule.min_learning_rate)(
      "step_size", schedule.step_size)("milestones", schedule.milestones)("gamma", schedule.gamma)(
      "restart_period", schedule.restart_period)("restart_multiplier", schedule.restart_multiplier)(
      "power", schedule.power)("pct_start", schedule.pct_start)("div_factor", schedule.div_factor)(
      "final_div_factor", schedule.final_div_factor);
  return schedule;
}

LossConfig bind_loss(const Resolution& resolution) {
  LossConfig loss;
  Reader(resolution, "loss")("name", loss.name)("label_smoothing", loss.label_smoothing);
  const auto* weights = resolution.find("loss.class_weights");
  if (weights && std::holds_alternative<std::vector<double>>(weights->value))
    loss.class_weights = std::get<std::vector<double>>(weights->value);
  else
    loss.class_weights = resolution.get<std::string>("loss.class_weights");
  Reader(resolution, "loss")("focal_gamma", loss.focal_gamma);
  const auto* positive = resolution.find("loss.pos_weight");
  if (positive && std::holds_alternative<double>(positive->value))
    loss.pos_weight = std::get<double>(positive->value);
  else
    loss.pos_weight = resolution.get<std::string>("loss.pos_weight");
  return loss;
}

TrainConfig bind_train(const Resolution& resolution) {
  TrainConfig train;
  Reader(resolution, "train")("epochs", train.epochs)("batch_size", train.batch_size)(
      "device", train.device)("precision", train.precision)("sampler", train.sampler)(
      "last_batch", train.last_batch)("deterministic", train.deterministic)(
      "cuda_graph", train.cuda_graph)("threads", train.threads)("accumulate", train.accumulate)(
      "clip_norm", train.clip_norm)("ema_decay", train.ema_decay)(
      "limit_batches", train.limit_batches)("overfit_batches", train.overfit_batches)(
      "freeze", train.freeze)("train_frozen_batch_norm", train.train_frozen_batch_norm)(
      "not_finite", train.not_finite)("not_finite_limit", train.not_finite_limit)(
      "roll_back_factor", train.roll_back_factor)("allow_micro_batches", train.allow_micro_batches);
  for (std::size_t i = 1; i <= count_of(resolution, "train.stage"); ++i) {
    StageConfig stage;
    Reader(resolution, fmt::format("train.stage.#{}", i))("epoch", stage.epoch)("freeze",
                                                                                stage.freeze);
    train.stages.push_back(std::move(stage));
  }
  return train;
}

}  // namespace

Experiment bind(const Resolution& resolution, const Places& places) {
  Experiment out;
  std::int64_t seed = 0;
  Reader(resolution, "experiment")("name", out.name)("seed", seed)("tags", out.tags)("notes",
                                                                                     out.notes);
  out.seed = static_cast<std::uint64_t>(seed);
  out.data = bind_data(resolution);
  out.preprocess = bind_components(resolution, ComponentKind::preprocess);
  out.model = bind_model(resolution);
  out.augmentations = bind_components(resolution, ComponentKind::augmentation);
  out.optimizer = bind_component(resolution, ComponentKind::optimizer);
  Reader(resolution, "optimizer")("learning_rate", out.learning_rate);
  out.parameter_groups = bind_parameter_groups(resolution);
  out.schedule = bind_schedule(resolution);
  out.loss = bind_loss(resolution);
  out.train = bind_train(resolution);
  out.callbacks = bind_components(resolution, ComponentKind::callback);
  Reader(resolution, "evaluate")("tta", out.evaluate.tta)("threshold", out.evaluate.threshold)(
      "temperature", out.evaluate.temperature)("test", out.evaluate.test)("batch_size",
                                                                          out.evaluate.batch_size);
  Reader(resolution, "tracker")("path", out.tracker);
  Reader(resolution, "plugins")("path", out.plugin_paths);
  out.resolved = resolution.entries;
  out.file = (places.working_directory / places.file).lexically_normal();
  return out;
}

}  // namespace bcx::config
