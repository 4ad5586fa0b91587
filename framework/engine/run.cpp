#include "engine/run.h"

#include <fmt/format.h>
#include <torch/types.h>

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/signals.h"
#include "base/text.h"
#include "config/load.h"
#include "engine/average_scope.h"
#include "engine/final_evaluation.h"
#include "engine/model_summary.h"
#include "engine/run_record.h"
#include "engine/training_setup.h"
#include "tracker/reader.h"
#include "train/device.h"
#include "train/loop.h"
#include "train/memory_guard.h"

namespace bcx::engine {
namespace {

using train::Tone;

void require_bytes(const weights::SafetensorsFile& file, const std::string& sha256,
                   const std::string& remedy) {
  if (file.sha256() != sha256)
    throw Error(ExitCode::data, {"is damaged: its bytes are not those that were written (SHA-256)",
                                 printable(file.path().string()), remedy});
}

/// The newest checkpoint that can be read; the others are passed over loudly.
weights::SafetensorsFile open_checkpoint(const ResumePoint& resume, train::Observer& observer) {
  for (const auto& [path, sha256] : resume.checkpoints) {
    try {
      auto file = weights::SafetensorsFile::open(path);
      train::read_manifest(file);
      require_bytes(file, sha256, "");
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
  void introduce_model();
  void end(tracker::Status status, tracker::Level level, const std::string& reason) noexcept;
  std::vector<tracker::Stamp> stamps() const;
  void stamp();
  void choose_precision();
  nlohmann::json identity() const;
  sdk::Metrics validate(Evaluator& evaluator);
  void complete(train::Snapshot& snapshot) const;
  void train_and_evaluate(RunOutcome& outcome);
  void load_best(const std::optional<std::filesystem::path>& best);
  void require_recorded_bytes(const weights::SafetensorsFile& file) const;
  nlohmann::json restore_newest();

  const RunRequest& request_;
  const config::Experiment& e_;
  train::Observer& observer_;
  at::Device device_ = at::kCPU;
  int threads_ = 0;
  std::optional<weights::SafetensorsFile> checkpoint_;
  nlohmann::json manifest_;
  std::unique_ptr<tracker::RunWriter> tracker_;
  std::optional<PreparedData> data_;
  std::optional<TrainingSetup> setup_;
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
    train::within_memory([&] {
      prepare();
      train_and_evaluate(outcome);
    });
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
  data_ = prepare_data(e_, request_.catalog, observer_,
                       manifest_.value("preprocess", nlohmann::json::object()));
  differences_ = differences(identity(), manifest_);
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
        system_rows(device_, threads_), request_.resume->attempts);
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
  if (!data_) data_ = prepare_data(e_, request_.catalog, observer_);
  record_data(*data_, e_, *tracker_);
  if (data_->part(data::Part::train).size() < 2)
    throw Error(ExitCode::data,
                {"fewer than two training images", "data.split", "use more data or other shares"});
  require_choosable_threshold(e_, *data_);
  setup_.emplace(request_, *data_, device_);
  introduce_model();
  checkpoints_.emplace(tracker_->folder() / "checkpoints", *tracker_);
  stamp();
  if (checkpoint_) {
    train::restore(*checkpoint_, setup_->model.parameters, *setup_->optimizer.object, setup_->step);
    checkpoints_->add_good(checkpoint_->path(), manifest_.at("step"));
  }
  choose_precision();
}

void Session::introduce_model() {
  const auto& model = setup_->model;
  observer_.message(Tone::note,
                    fmt::format("model    {}: {} parameters, {}", e_.model.backbone.name,
                                grouped(model.parameters.parameter_count()), setup_->weights));
  if (request_.resume || request_.parent) return;  // its table has been shown
  for (const auto& line : split(parts_table(*model.classifier.object), '\n'))
    if (!line.empty()) observer_.message(Tone::note, fmt::format("         {}", line));
}

/// What makes this run's figures another thing than the experiment's, beside its data.
std::vector<tracker::Stamp> Session::stamps() const {
  std::vector<tracker::Stamp> all;
  if (!differences_.empty())
    all.push_back({"FORCED", fmt::format("resumed with another {}", join(differences_, ", "))});
  if (e_.train.limit_batches > 0)
    all.push_back({"LIMITED", fmt::format("train.limit_batches = {}", e_.train.limit_batches)});
  if (e_.train.overfit_batches > 0)
    all.push_back({"OVERFIT", fmt::format("validated on the {} images it was trained on",
                                          setup_->candidates.indexes.size())});
  // Without batch statistics the gradient is the whole batch's, to rounding.
  if (request_.micro_batches > 1 && !setup_->model.parameters.statistics().empty())
    all.push_back(
        {"MICROBATCHES", fmt::format("batches of {} in {} parts: batch statistics are of {} images",
                                     e_.train.batch_size * request_.micro_batches,
                                     request_.micro_batches, e_.train.batch_size)});
  if (loop_ && setup_->step.parts() > 1 && !setup_->model.parameters.statistics().empty())
    all.push_back({"MICROBATCHES", "memory ran out"});
  return all;
}

void Session::stamp() {
  for (const auto& [name, detail] : stamps()) {
    tracker_->stamp(name, detail);
    observer_.message(Tone::warning, fmt::format("this run is stamped {}: {}", name, detail));
  }
}

void Session::choose_precision() {
  auto& step = setup_->step;
  std::string why = e_.train.precision;
  if (checkpoint_) {
    step.set_precision(train::precision_named(manifest_.at("precision").get<std::string>()));
    why = fmt::format("{} (kept from before)", train::name_of(step.settings().precision));
  } else if (e_.train.precision == "auto") {
    why = setup_->choose_precision(e_);
  } else {
    step.set_precision(train::precision_named(e_.train.precision));
  }
  tracker_->param({.key = "precision",
                   .value = std::string(train::name_of(step.settings().precision)),
                   .list = false,
                   .origin = "chosen"});
  observer_.message(
      Tone::note, fmt::format("device   {}, {} thread{}, {}", train::device_name(device_), threads_,
                              threads_ == 1 ? "" : "s", why));
}

nlohmann::json Session::identity() const {
  return engine::identity(request_, *data_, device_, threads_);
}

void Session::complete(train::Snapshot& snapshot) const {
  snapshot.manifest.update(identity());
  snapshot.manifest["run"] = tracker_->id();
  snapshot.metadata["bcx.experiment"] = config::resolved_text(e_);
  snapshot.metadata["bcx.classes"] = nlohmann::json(data_->decoded.table.classes).dump();
}

sdk::Metrics Session::validate(Evaluator& evaluator) {
  const AverageScope average(setup_->model.parameters, setup_->step);
  // The epoch's last step is done: where a checkpoint at its end stands.
  const auto& at = loop_->cursor();
  auto plan =
      evaluation_plan(*data_, data::Part::validation, "val", "epoch", {at.epoch + 1, 0, at.step});
  if (e_.train.overfit_batches > 0) {
    plan.part = data::Part::train;
    plan.samples = setup_->candidates.indexes;
  }
  const auto result = evaluator.evaluate(plan);
  return {result.metrics.begin(), result.metrics.end()};
}

/// In place, from the newest checkpoint of this attempt, or from where it began.
nlohmann::json Session::restore_newest() {
  for (const auto& path : checkpoints_->good()) {
    try {
      const auto file = weights::SafetensorsFile::open(path);
      auto manifest = train::read_manifest(file);
      require_recorded_bytes(file);
      setup_->step.forget_average();
      train::restore(file, setup_->model.parameters, *setup_->optimizer.object, setup_->step);
      setup_->callbacks = build_callbacks(e_.callbacks, request_.catalog);
      return manifest;
    } catch (const Error& error) {
      observer_.message(Tone::warning, fmt::format("passing over a checkpoint: {}", error.what()));
    }
  }
  throw Error(ExitCode::data, {"the run has no checkpoint to go back to",
                               printable(checkpoints_->folder().string()), ""});
}

void Session::require_recorded_bytes(const weights::SafetensorsFile& file) const {
  const tracker::Reader reader(e_.tracker);
  for (const auto& known : reader.checkpoints(tracker_->id()))
    if (known.kept && std::filesystem::weakly_canonical(reader.folder() / known.row.path) ==
                          std::filesystem::weakly_canonical(file.path()))
      require_bytes(file, known.row.sha256,
                    fmt::format("evaluate its last state: bcx evaluate {} --checkpoint last",
                                tracker_->short_id()));
}

void Session::load_best(const std::optional<std::filesystem::path>& best) {
  if (!best) return keep_average(setup_->model.parameters, setup_->step);
  const auto file = weights::SafetensorsFile::open(*best);
  require_recorded_bytes(file);
  train::restore_model(file, train::holds_average(file) ? "ema." : "model.",
                       setup_->model.parameters);
  best_path_ = best->string();
  observer_.message(Tone::note,
                    fmt::format("evaluating the best checkpoint, of epoch {}",
                                train::read_manifest(file).at("epoch").get<std::int64_t>()));
}

void Session::train_and_evaluate(RunOutcome& outcome) {
  auto& [model, weights, candidates, input, optimizer, loss, step, callbacks] = *setup_;
  const auto precision = step.settings().precision;
  Evaluator evaluator(e_, *data_,
                      forward_with(*model.classifier.object, model.classifier.site, input,
                                   step.context(), e_, precision),
                      precision, *tracker_, observer_);
  train::LoopParts parts{.experiment = e_,
                         .input = input,
                         .candidates = candidates,
                         .step = step,
                         .parameters = model.parameters,
                         .optimizer = *optimizer.object,
                         .callbacks = callbacks,
                         .tracker = *tracker_,
                         .checkpoints = *checkpoints_,
                         .observer = observer_,
                         .validate = {},
                         .complete = [this](train::Snapshot& snapshot) { complete(snapshot); },
                         .restore_newest = [this] { return restore_newest(); }};
  if (!data_->part(data::Part::validation).empty() || e_.train.overfit_batches > 0)
    parts.validate = [&] { return validate(evaluator); };
  loop_.emplace(std::move(parts));
  if (checkpoint_) loop_->load_state(manifest_);
  outcome.stopped = loop_->run() == train::LoopEnd::stopped;
  outcome.stamps = data_->audit.stamps;
  for (const auto& [name, detail] : stamps()) outcome.stamps.push_back(name);
  if (outcome.stopped || e_.train.overfit_batches > 0) return;

  load_best(loop_->best());
  outcome.metrics = evaluate_finally(evaluator, e_, *data_, loop_->cursor(), best_path_, observer_);
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
