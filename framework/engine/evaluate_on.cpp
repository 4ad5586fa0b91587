#include "engine/evaluate_on.h"

#include <fmt/format.h>

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/signals.h"
#include "base/text.h"
#include "config/load.h"
#include "engine/final_evaluation.h"
#include "engine/run_record.h"
#include "engine/seen_before.h"
#include "engine/trained_model.h"
#include "train/checkpoint.h"
#include "train/device.h"

namespace bcx::engine {
namespace {

using train::Tone;

/// The order counts: a class is an index.
void require_same_classes(const EvaluateRequest& request, const PreparedData& data) {
  const auto& found = data.decoded.table.classes;
  if (found == request.classes) return;
  std::vector<std::string> quoted;
  for (const auto& name : request.classes) quoted.push_back('"' + name + '"');
  throw Error(ExitCode::data,
              {fmt::format("these data have the classes {}, {} was trained on {}",
                           printable(join(found, ", ")), printable(request.trained_by),
                           printable(join(request.classes, ", "))),
               "data.classes",
               fmt::format("rename the folders or labels, or choose: --set 'data.classes=[{}]'",
                           printable(join(quoted, ", ")))});
}

/// The run's own test part, as it was.
PreparedData own_test_part(const EvaluateRequest& request, const nlohmann::json& states,
                           train::Observer& observer) {
  auto data = prepare_data(request.run.experiment, request.run.catalog, observer, states);
  if (data.hash != request.trained_data || data.split.hash != request.trained_split)
    throw Error(ExitCode::data,
                {fmt::format("the {} not those that {} was trained on",
                             data.hash != request.trained_data ? "images are" : "parts are",
                             printable(request.trained_by)),
                 printable(request.run.experiment.data.root.string()),
                 "name data that the model has not seen: --data ROOT"});
  if (data.part(data::Part::test).empty())
    throw Error(ExitCode::data, {"has no test part", "run " + printable(request.trained_by),
                                 "name data that the model has not seen: --data ROOT"});
  return data;
}

PreparedData other_data(const EvaluateRequest& request, const nlohmann::json& states,
                        train::Observer& observer) {
  auto data = prepare_test_data(request.run.experiment, request.run.catalog, observer, states);
  require_same_classes(request, data);
  data.audit = audit_against_seen(request, data, states, observer);
  require_unseen(data.audit, request.trained_by);
  describe(data, observer);
  return data;
}

/// The checkpoint as an evaluation stores it: a file beneath the tracker's folder.
std::string recorded_checkpoint(const EvaluateRequest& request) {
  if (request.members.size() != 1) return {};
  const auto folder = request.run.experiment.tracker.parent_path();
  const auto inside = request.members.front().checkpoint.lexically_relative(folder);
  return inside.empty() || *inside.begin() == ".." ? "" : inside.generic_string();
}

void evaluate_all(const EvaluateRequest& request, const PreparedData& data,
                  tracker::RunWriter& tracker, train::Observer& observer, RunOutcome& outcome) {
  const auto& e = request.run.experiment;
  const TrainedModel trained{e, request.run.catalog, request.classes, request.members};
  LoadedModels models(trained);
  models.preprocess();  // refuses folds that were preprocessed apart
  std::vector<std::uint64_t> ids;
  for (const auto& sample : data.decoded.table.samples) ids.push_back(sample.id);
  const auto input = models.input(data.decoded.pixels.view(), std::move(ids));
  Evaluator evaluator(e, data, models.forward(input), models.first().precision, tracker, observer);
  const auto& manifest = models.first().manifest;
  const tracker::Cursor cursor{manifest.at("epoch"), manifest.at("samples"), manifest.at("step")};
  outcome.metrics = evaluate_test(evaluator, e, data, cursor, recorded_checkpoint(request),
                                  {request.threshold, request.temperature});
  tracker.epoch_metrics(static_cast<double>(cursor.epoch), cursor.step, outcome.metrics);
}

}  // namespace

RunOutcome evaluate_on(const EvaluateRequest& request, train::Observer& observer) {
  const auto& e = request.run.experiment;
  const int threads =
      train::apply_process_settings({static_cast<int>(e.train.threads), e.train.deterministic});
  const auto device = train::resolve_device(e.train.device);
  // Before the run is made: what is refused leaves nothing behind.
  const auto states = preprocess_states(
      train::read_manifest(weights::SafetensorsFile::open(request.members.front().checkpoint)));
  const auto data = request.own_test_part ? own_test_part(request, states, observer)
                                          : other_data(request, states, observer);
  auto tracker = tracker::RunWriter::create(e.tracker, describe(request.run, device, threads));
  RunOutcome outcome;
  outcome.id = tracker->id();
  outcome.short_id = tracker->short_id();
  outcome.folder = tracker->folder();
  outcome.stamps = data.audit.stamps;
  observer.message(Tone::note,
                   fmt::format("run      {} ({}), {}", printable(tracker->name()),
                               tracker->short_id(), printable(tracker->folder().string())));
  try {
    write_atomically(tracker->folder() / "experiment.toml", config::resolved_text(e));
    record_data(data, e, *tracker);
    evaluate_all(request, data, *tracker, observer, outcome);
    tracker->finish(tracker::Status::finished, "");
  } catch (const std::exception& error) {
    const auto* known = dynamic_cast<const Error*>(&error);
    outcome.stopped = known && known->code() == ExitCode::stopped;
    tracker->event(outcome.stopped ? tracker::Level::info : tracker::Level::error, error.what());
    tracker->finish(outcome.stopped ? tracker::Status::stopped : tracker::Status::failed,
                    error.what());
    if (!outcome.stopped) throw;
  }
  return outcome;
}

}  // namespace bcx::engine
