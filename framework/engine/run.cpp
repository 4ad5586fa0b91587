#include "engine/run.h"

#include <fmt/format.h>
#include <torch/torch.h>
#include <torch/version.h>
#include <unistd.h>

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/signals.h"
#include "base/text.h"
#include "config/load.h"
#include "engine/components.h"
#include "engine/evaluation.h"
#include "engine/load_weights.h"
#include "engine/prepare_data.h"
#include "eval/threshold.h"
#include "model/summary.h"
#include "plugin/loader.h"
#include "train/auto_precision.h"
#include "train/device.h"
#include "train/loop.h"
#include "weights/resolve.h"

namespace bcx::engine {
namespace {

using train::Tone;

tracker::Param to_row(const config::Experiment::Resolved& resolved) {
  tracker::Param row{
      .key = resolved.key, .value = std::string(), .list = false, .origin = resolved.origin.text()};
  std::visit(
      [&](const auto& value) {
        using T = std::decay_t<decltype(value)>;
        if constexpr (std::is_constructible_v<tracker::ParamValue, T> &&
                      !std::is_same_v<T, std::vector<bool>>) {
          row.value = value;
        } else {
          row.value = nlohmann::json(value).dump();
          row.list = true;
        }
      },
      resolved.value);
  return row;
}

std::vector<const config::Component*> components_of(const config::Experiment& e) {
  std::vector<const config::Component*> all{&e.model.backbone, &e.optimizer};
  for (const auto* list : {&e.preprocess, &e.augmentations, &e.callbacks})
    for (const auto& component : *list) all.push_back(&component);
  return all;
}

std::vector<tracker::PluginRow> plugin_rows(const RunRequest& request) {
  std::vector<tracker::PluginRow> rows;
  for (const auto* component : components_of(request.experiment)) {
    const auto* spec = request.catalog.find(component->kind, component->name);
    const auto* file = spec ? request.catalog.plugin(spec->plugin) : nullptr;
    rows.push_back({component->name, std::string(config::name_of(component->kind)),
                    spec ? spec->version : "", file ? file->build_id : "", spec ? spec->file : ""});
  }
  return rows;
}

std::vector<std::pair<std::string, std::string>> system_rows(at::Device device, int threads) {
  std::vector<std::pair<std::string, std::string>> rows{{"libtorch", TORCH_VERSION},
                                                        {"cpu", train::device_name(at::kCPU)},
                                                        {"threads", std::to_string(threads)},
                                                        {"device", device.str()}};
  if (device.is_cuda()) rows.emplace_back("gpu", train::device_name(device));
  return rows;
}

tracker::RunDescription describe(const RunRequest& request, at::Device device, int threads) {
  const auto& e = request.experiment;
  tracker::RunDescription description{.name = e.name,
                                      .experiment = e.name,
                                      .seed = static_cast<std::int64_t>(e.seed),
                                      .tags = e.tags,
                                      .notes = e.notes,
                                      .parent = std::nullopt,
                                      .command = request.command,
                                      .git_commit = request.git_commit,
                                      .version = request.version,
                                      .config_source = e.source_text,
                                      .config_resolved = config::resolved_text(e),
                                      .config_hash = config::configuration_hash(e),
                                      .params = {},
                                      .plugins = plugin_rows(request),
                                      .system = system_rows(device, threads)};
  for (const auto& resolved : e.resolved) description.params.push_back(to_row(resolved));
  return description;
}

/// Weights of the moving average in the model's place, for the scope.
class AverageScope {
 public:
  AverageScope(const model::FlatParameters& parameters, const train::StepExecutor& step)
      : parameters_(parameters), active_(step.ema_values().defined()) {
    if (!active_) return;
    torch::NoGradGuard no_grad;
    values_ = parameters.values().clone();
    buffers_ = parameters.buffers().clone();
    parameters.values().copy_(step.ema_values());
    parameters.buffers().copy_(step.ema_buffers());
  }
  ~AverageScope() {
    if (!active_) return;
    torch::NoGradGuard no_grad;
    parameters_.values().copy_(values_);
    parameters_.buffers().copy_(buffers_);
  }
  AverageScope(const AverageScope&) = delete;
  AverageScope& operator=(const AverageScope&) = delete;

 private:
  const model::FlatParameters& parameters_;
  bool active_;
  at::Tensor values_, buffers_;
};

/// The newest checkpoint that can be read; the others are passed over loudly.
weights::SafetensorsFile open_checkpoint(const ResumePoint& resume, train::Observer& observer) {
  for (const auto& path : resume.checkpoints) {
    try {
      auto file = weights::SafetensorsFile::open(path);
      train::read_manifest(file);
      return file;
    } catch (const Error& error) {
      observer.message(Tone::warning, fmt::format("passing over a checkpoint: {}", error.what()));
    }
  }
  throw Error(ExitCode::data, {"the run has no checkpoint that can be read", resume.run_id,
                               "start it anew with `bcx run`"});
}

/// One run. Members are built in order; each later one borrows from the earlier ones.
class Session {
 public:
  Session(const RunRequest& request, train::Observer& observer)
      : request_(request), e_(request.experiment), observer_(observer) {}

  RunOutcome execute();

 private:
  void examine_checkpoint();
  void open_tracker();
  void prepare();
  void require_choosable_threshold() const;
  void end(tracker::Status status, tracker::Level level, const std::string& reason) noexcept;
  void build_model();
  void build_training();
  void choose_precision();
  void resume();
  std::vector<std::string> differences(const nlohmann::json& manifest) const;
  sdk::Metrics validate(Evaluator& evaluator);
  void complete(train::Snapshot& snapshot) const;
  void train_and_evaluate(RunOutcome& outcome);
  void load_best(const std::optional<std::filesystem::path>& best);
  double chosen_threshold(const eval::Predictions& predictions);
  NamedValues final_evaluation(Evaluator& evaluator);
  EvaluationPlan plan(data::Part part, const std::string& prefix, const std::string& purpose) const;

  const RunRequest& request_;
  const config::Experiment& e_;
  train::Observer& observer_;
  at::Device device_ = at::kCPU;
  int threads_ = 0;
  std::optional<weights::SafetensorsFile> checkpoint_;
  nlohmann::json manifest_;
  std::unique_ptr<tracker::RunWriter> tracker_;
  std::optional<PreparedData> data_;
  std::optional<Built<std::shared_ptr<model::Classifier>>> classifier_;
  std::optional<model::FlatParameters> parameters_;
  std::optional<train::InputPipeline> input_;
  std::optional<Built<std::unique_ptr<sdk::Optimizer>>> optimizer_;
  std::unique_ptr<train::Loss> loss_;
  std::optional<train::StepExecutor> step_;
  std::vector<train::NamedCallback> callbacks_;
  train::Candidates candidates_;
  std::optional<train::CheckpointStore> checkpoints_;
  std::optional<train::TrainLoop> loop_;
  std::vector<std::string> differences_;  // from the checkpoint; empty when not resuming
  std::string best_path_;
};

RunOutcome Session::execute() {
  threads_ =
      train::apply_process_settings({static_cast<int>(e_.train.threads), e_.train.deterministic});
  device_ = train::resolve_device(e_.train.device);
  if (request_.resume) examine_checkpoint();
  open_tracker();
  RunOutcome outcome;
  outcome.id = tracker_->id();
  outcome.short_id = tracker_->short_id();
  outcome.folder = tracker_->folder();
  try {
    prepare();
    train_and_evaluate(outcome);
    tracker_->finish(
        outcome.stopped ? tracker::Status::stopped : tracker::Status::finished,
        outcome.stopped ? fmt::format("signal {}", stop_signal()) : loop_->stop_reason());
  } catch (const Error& error) {
    const bool stopped = error.code() == ExitCode::stopped;
    if (stopped)
      end(tracker::Status::stopped, tracker::Level::info, error.what());
    else
      end(tracker::Status::failed, tracker::Level::error, error.what());
    if (!stopped) throw;
    outcome.stopped = true;
  } catch (const std::exception& error) {
    end(tracker::Status::failed, tracker::Level::error, error.what());
    throw;
  }
  outcome.resumable = outcome.stopped && (loop_ || checkpoint_);
  return outcome;
}

/// Ends the record of a run that did not come to its end. What goes wrong here is only reported:
/// the user must see what ended the run.
void Session::end(tracker::Status status, tracker::Level level,
                  const std::string& reason) noexcept {
  const auto attempt = [&](auto work) {
    try {
      work();
    } catch (const std::exception& error) {
      observer_.message(Tone::warning, error.what());
    }
  };
  // The checkpoint under way is good, and its row must stand before the record is closed.
  attempt([&] {
    if (checkpoints_) checkpoints_->wait();
  });
  attempt([&] {
    tracker_->event(level, reason);
    tracker_->finish(status, reason);
  });
}

/// Everything that may refuse a resume, before the run is touched: a refused one must leave it as
/// it was.
void Session::examine_checkpoint() {
  checkpoint_ = open_checkpoint(*request_.resume, observer_);
  manifest_ = train::read_manifest(*checkpoint_);
  data_ = prepare_data(e_, observer_);
  differences_ = differences(manifest_);
  if (!differences_.empty() && !request_.resume->force)
    throw Error(ExitCode::usage,
                {fmt::format("cannot go on exactly: another {} than at the "
                             "checkpoint",
                             join(differences_, ", ")),
                 e_.name, "go on all the same with --force (the run is stamped FORCED)"});
}

void Session::open_tracker() {
  if (request_.resume) {
    tracker_ = tracker::RunWriter::resume(
        e_.tracker, request_.resume->run_id,
        {manifest_.at("epoch"), manifest_.at("samples"), manifest_.at("step")},
        system_rows(device_, threads_));
  } else {
    tracker_ = tracker::RunWriter::create(e_.tracker, describe(request_, device_, threads_));
  }
  observer_.message(Tone::note,
                    fmt::format("run      {} ({}), {}", printable(tracker_->name()),
                                tracker_->short_id(), printable(tracker_->folder().string())));
}

void Session::prepare() {
  if (!request_.resume)
    write_atomically(tracker_->folder() / "experiment.toml", config::resolved_text(e_));
  if (!data_) data_ = prepare_data(e_, observer_);
  record_data(*data_, e_, *tracker_);
  if (data_->part(data::Part::train).size() < 2)
    throw Error(ExitCode::data,
                {"fewer than two training images", "data.split", "use more data or other shares"});
  require_choosable_threshold();
  candidates_ = data_->candidates();
  build_model();
  build_training();
  if (checkpoint_) resume();
  choose_precision();
}

/// Said before the training and not after it.
void Session::require_choosable_threshold() const {
  const auto& images = data_->split.images;
  if (images.size() != 2 || !eval::is_chosen(e_.evaluate.threshold)) return;
  for (std::size_t c = 0; c < images.size(); ++c)
    if (images[c][static_cast<std::size_t>(data::Part::validation)] == 0)
      throw Error(ExitCode::data,
                  {fmt::format("no threshold can be chosen: the validation part has "
                               "no image of class \"{}\"",
                               printable(data_->decoded.table.classes[c])),
                   "evaluate.threshold", "use a number, or another split"});
}

void Session::build_model() {
  const auto& table = data_->decoded.table;
  classifier_ =
      build_classifier(e_, request_.catalog, static_cast<std::int64_t>(table.classes.size()));
  classifier_->object->to(device_);
  parameters_.emplace(*classifier_->object);
  std::string source = "random weights";
  if (e_.model.weights != "none") {
    const auto file = weights::resolve_weights(e_.model.weights, e_.model.backbone.name,
                                               request_.may_fetch_weights);
    source = fmt::format("{} ({})", printable(file.filename().string()),
                         load_weights(file, *parameters_));
  }
  observer_.message(Tone::note,
                    fmt::format("model    {}: {} parameters, {}", e_.model.backbone.name,
                                grouped(parameters_->parameter_count()), source));
}

void Session::build_training() {
  const auto& table = data_->decoded.table;
  train::SampleInfo samples;
  for (const auto& sample : table.samples) {
    samples.ids.push_back(sample.id);
    samples.labels.push_back(sample.label);
  }
  input_.emplace(train::ResidentImages(data_->decoded.pixels.view(), device_), std::move(samples),
                 build_augmentations(e_.augmentations, request_.catalog),
                 classifier_->object->backbone().normalization(), e_.data.image_size,
                 static_cast<std::int64_t>(table.classes.size()), e_.seed);
  optimizer_ = build_optimizer(e_.optimizer, request_.catalog);
  std::vector<std::int64_t> counts(table.classes.size(), 0);
  for (const auto label : candidates_.labels) ++counts[static_cast<std::size_t>(label)];
  loss_ = train::make_loss(e_.loss, counts, at::TensorOptions().dtype(at::kFloat).device(device_));
  step_.emplace(
      *classifier_->object, *parameters_, *optimizer_->object, optimizer_->site, classifier_->site,
      *loss_,
      train::StepSettings{.precision = e_.train.precision == "fp16" ? train::Precision::fp16
                                                                    : train::Precision::fp32,
                          .clip_norm = e_.train.clip_norm,
                          .ema_decay = e_.train.ema_decay,
                          .train_frozen_batch_norm = e_.train.train_frozen_batch_norm,
                          .seed = e_.seed});
  step_->set_frozen(e_.train.freeze);
  callbacks_ = build_callbacks(e_.callbacks, request_.catalog);
  checkpoints_.emplace(tracker_->folder() / "checkpoints", *tracker_);
}

void Session::choose_precision() {
  std::string why = e_.train.precision;
  if (checkpoint_) {
    step_->set_precision(train::precision_named(manifest_.at("precision").get<std::string>()));
    why = fmt::format("{} (kept from before)", train::name_of(step_->settings().precision));
  } else if (e_.train.precision == "auto") {
    const auto order = train::epoch_order(candidates_, "shuffle", e_.seed, 0);
    const auto batch = train::batches(order, e_.train.batch_size, "keep").front();
    const auto choice =
        train::choose_precision(device_, e_.model.backbone.name, e_.data.image_size,
                                e_.train.batch_size, [&](train::Precision precision) {
                                  throw_if_stopped("timing precisions");
                                  step_->rehearse(input_->training(batch, {}, 0), precision);
                                });
    step_->set_precision(choice.precision);
    why = choice.reason;
  } else {
    step_->set_precision(train::precision_named(e_.train.precision));
  }
  tracker_->param({.key = "precision",
                   .value = std::string(train::name_of(step_->settings().precision)),
                   .list = false,
                   .origin = "chosen"});
  observer_.message(
      Tone::note, fmt::format("device   {}, {} thread{}, {}", train::device_name(device_), threads_,
                              threads_ == 1 ? "" : "s", why));
}

std::vector<std::string> Session::differences(const nlohmann::json& manifest) const {
  std::vector<std::string> found;
  const auto compare = [&](const char* what, const char* key, const nlohmann::json& now) {
    if (manifest.value(key, nlohmann::json()) != now) found.push_back(what);
  };
  compare("configuration", "config_hash", config::configuration_hash(e_));
  compare("data", "data_hash", data_->hash);
  compare("split", "split_hash", data_->split.hash);
  compare("threads", "threads", threads_);
  compare("device", "device", c10::DeviceTypeName(device_.type(), /*lower_case=*/true));
  nlohmann::json builds = nlohmann::json::array();
  for (const auto& row : plugin_rows(request_)) builds.push_back(row.name + " " + row.build_id);
  compare("plugins", "plugins", builds);
  return found;
}

void Session::resume() {
  if (!differences_.empty())
    tracker_->stamp("FORCED", fmt::format("resumed with another {}", join(differences_, ", ")));
  train::restore(*checkpoint_, *parameters_, *optimizer_->object, *step_);
}

void Session::complete(train::Snapshot& snapshot) const {
  nlohmann::json builds = nlohmann::json::array();
  for (const auto& row : plugin_rows(request_)) builds.push_back(row.name + " " + row.build_id);
  snapshot.manifest["run"] = tracker_->id();
  snapshot.manifest["config_hash"] = config::configuration_hash(e_);
  snapshot.manifest["data_hash"] = data_->hash;
  snapshot.manifest["split_hash"] = data_->split.hash;
  snapshot.manifest["threads"] = threads_;
  snapshot.manifest["device"] = c10::DeviceTypeName(device_.type(), /*lower_case=*/true);
  snapshot.manifest["plugins"] = builds;
  snapshot.metadata["bcx.experiment"] = config::resolved_text(e_);
  snapshot.metadata["bcx.classes"] = nlohmann::json(data_->decoded.table.classes).dump();
}

EvaluationPlan Session::plan(data::Part part, const std::string& prefix,
                             const std::string& purpose) const {
  EvaluationPlan plan;
  plan.part = part;
  plan.prefix = prefix;
  plan.purpose = purpose;
  plan.cursor = loop_->cursor();
  plan.rule.positive = data_->decoded.table.positive;
  return plan;
}

sdk::Metrics Session::validate(Evaluator& evaluator) {
  const AverageScope average(*parameters_, *step_);
  const auto result = evaluator.evaluate(plan(data::Part::validation, "val", "epoch"));
  return {result.metrics.begin(), result.metrics.end()};
}

void Session::load_best(const std::optional<std::filesystem::path>& best) {
  if (best) {
    const auto file = weights::SafetensorsFile::open(*best);
    const bool averaged = step_->ema_values().defined();
    train::restore_model(file, averaged ? "ema." : "model.", *parameters_);
    best_path_ = best->string();
    observer_.message(Tone::note,
                      fmt::format("evaluating the best checkpoint, of epoch {}",
                                  train::read_manifest(file).at("epoch").get<std::int64_t>()));
  } else if (step_->ema_values().defined()) {
    torch::NoGradGuard no_grad;
    parameters_->values().copy_(step_->ema_values());
    parameters_->buffers().copy_(step_->ema_buffers());
  }
}

double Session::chosen_threshold(const eval::Predictions& predictions) {
  const int positive = data_->decoded.table.positive;
  const auto p = eval::Probabilities::softmax(predictions.logits, 2);
  std::vector<bool> positives;
  for (const auto target : predictions.targets) positives.push_back(target == positive);
  const double threshold =
      eval::choose_threshold(e_.evaluate.threshold, positives, p.scores(positive));
  observer_.message(Tone::note, fmt::format("threshold {} (chosen on validation: {})",
                                            shortest(threshold), e_.evaluate.threshold));
  return threshold;
}

NamedValues Session::final_evaluation(Evaluator& evaluator) {
  NamedValues all;
  std::optional<double> threshold;
  const bool two_classes = data_->decoded.table.classes.size() == 2;
  if (two_classes && !eval::is_chosen(e_.evaluate.threshold))
    threshold =
        eval::choose_threshold(e_.evaluate.threshold, {}, eval::Scores(std::vector<double>{}));
  if (!data_->part(data::Part::validation).empty() && two_classes) {
    auto validation = plan(data::Part::validation, "val", "final");
    validation.checkpoint = best_path_;
    const auto result = evaluator.evaluate(validation);
    if (!threshold) threshold = chosen_threshold(result.predictions);
  }
  if (data_->part(data::Part::test).empty()) return all;
  for (const std::int64_t views : {std::int64_t{1}, e_.evaluate.tta}) {
    if (views == 1 && !all.empty()) break;  // evaluate.tta = 1: off
    auto test =
        plan(data::Part::test, views == 1 ? "test" : "test.tta", views == 1 ? "final" : "tta");
    test.views = views;
    test.checkpoint = best_path_;
    test.rule.threshold = threshold;
    if (threshold) test.threshold_rule = e_.evaluate.threshold;
    const auto result = evaluator.evaluate(test);
    evaluator.record_curves(result);
    all.insert(all.end(), result.metrics.begin(), result.metrics.end());
  }
  return all;
}

void Session::train_and_evaluate(RunOutcome& outcome) {
  Evaluator evaluator(e_, *data_, *classifier_->object, classifier_->site, *input_,
                      step_->context(), step_->settings().precision, *tracker_, observer_);
  train::LoopParts parts{.experiment = e_,
                         .input = *input_,
                         .candidates = candidates_,
                         .step = *step_,
                         .parameters = *parameters_,
                         .optimizer = *optimizer_->object,
                         .callbacks = callbacks_,
                         .tracker = *tracker_,
                         .checkpoints = *checkpoints_,
                         .observer = observer_,
                         .validate = {},
                         .complete = [this](train::Snapshot& snapshot) { complete(snapshot); }};
  if (!data_->part(data::Part::validation).empty())
    parts.validate = [&] { return validate(evaluator); };
  loop_.emplace(std::move(parts));
  if (checkpoint_) loop_->load_state(manifest_);
  outcome.stopped = loop_->run() == train::LoopEnd::stopped;
  outcome.stamps = data_->audit.stamps;
  if (!differences_.empty()) outcome.stamps.push_back("FORCED");
  if (outcome.stopped) return;

  load_best(loop_->best());
  outcome.metrics = final_evaluation(evaluator);
  if (!outcome.metrics.empty())
    tracker_->epoch_metrics(static_cast<double>(loop_->cursor().epoch), loop_->cursor().step,
                            outcome.metrics);
}

}  // namespace

RunOutcome run_experiment(const RunRequest& request, train::Observer& observer) {
  Session session(request, observer);
  return session.execute();
}

}  // namespace bcx::engine
