#include "run_model.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/error.h"
#include "base/text.h"
#include "eval/temperature.h"
#include "eval/threshold.h"
#include "folds.h"
#include "resume_point.h"
#include "tracker_text.h"
#include "weights/safetensors.h"

namespace bcx::cli {
namespace {

namespace fs = std::filesystem;
using tracker::EvaluationShown;
using tracker::Reader;
using tracker::RunShown;

std::string place(const RunShown& run) {
  return "run " + printable(run.name);
}

OpenedExperiment open_run_experiment(const Reader& reader, const RunShown& run,
                                     const ModelOptions& options) {
  const auto file = reader.folder() / run.folder / "experiment.toml";
  if (!fs::exists(file))
    throw Error(ExitCode::data,
                {"has no experiment.toml in its folder: no model of bcx belongs to it", place(run),
                 "name a run that was trained here"});
  ExperimentOptions experiment{file.string(), options.sets, options.plugin_paths,
                               options.overrides};
  if (!options.device.empty())
    experiment.options.push_back({"--device", "train.device", options.device});
  if (options.batch_size > 0)
    experiment.sets.push_back(fmt::format("evaluate.batch_size={}", options.batch_size));
  if (options.views > 0) experiment.sets.push_back(fmt::format("evaluate.tta={}", options.views));
  return open_experiment(experiment);
}

/// A model whose bytes changed on the disk would say something, and nobody would notice.
fs::path undamaged(const engine::KeptCheckpoint& checkpoint) {
  if (weights::SafetensorsFile::open(checkpoint.path).sha256() != checkpoint.sha256)
    throw Error(ExitCode::data, {"is damaged: its bytes are not those that were written (SHA-256)",
                                 printable(checkpoint.path.string()),
                                 "name another one with --checkpoint FILE"});
  return checkpoint.path;
}

/// The file that the final evaluation used, or the newest.
fs::path chosen_checkpoint(const Reader& reader, const RunShown& run, const std::string& which) {
  const auto kept = kept_checkpoints(reader, run.id);
  const auto of_tag = [&](std::string_view tag) -> std::optional<engine::KeptCheckpoint> {
    const auto rows = reader.checkpoints(run.id);
    for (auto row = rows.rbegin(); row != rows.rend(); ++row)
      if (row->kept && row->row.tag == tag)
        return engine::KeptCheckpoint{reader.folder() / row->row.path, row->row.sha256};
    return std::nullopt;
  };
  if (which != "best" && which != "last") return which;
  if (kept.empty())
    throw Error(ExitCode::data,
                {"has no checkpoint", place(run),
                 run.parent.empty() ? "name one with --checkpoint FILE"
                                    : "name the run that was trained: " + run.parent});
  if (const auto best = of_tag("best"); best && which == "best") return undamaged(*best);
  return undamaged(of_tag("last").value_or(kept.front()));
}

/// A number that validation decided, as the run froze it.
std::optional<double> frozen(const RunShown& run, std::string_view key) {
  const auto found = run.params.find(key);
  const auto* value =
      found == run.params.end() ? nullptr : std::get_if<double>(&found->second.value);
  return value ? std::optional(*value) : std::nullopt;
}

std::vector<engine::Member> members_of(const Reader& reader, const RunShown& run,
                                       const ModelOptions& options) {
  if (is_ensemble(run))
    throw Error(ExitCode::usage, {"averages other runs' predictions and has no model of its own",
                                  place(run), "name one of those runs (bcx show has them)"});
  if (is_evaluation(reader, run)) return members_of(reader, reader.run(run.parent), options);
  if (!is_folds(run)) return {{chosen_checkpoint(reader, run, options.checkpoint)}};
  if (options.checkpoint != "best" && options.checkpoint != "last")
    throw Error(ExitCode::usage,
                {"--checkpoint FILE names one model, and this run has one for each fold",
                 place(run), "name a fold's run instead"});
  std::vector<engine::Member> members;
  for (const auto& fold : fold_runs(reader, run))
    members.push_back({chosen_checkpoint(reader, fold, options.checkpoint),
                       frozen(fold, "temperature").value_or(1.0)});
  if (members.empty())
    throw Error(ExitCode::data, {"has no folds yet", place(run), "go on with it: bcx resume"});
  return members;
}

/// The threshold that `rule` chooses from an evaluation's predictions.
double threshold_from(const Reader& reader, const EvaluationShown& evaluation,
                      const std::string& rule, int positive) {
  std::vector<bool> positives;
  std::vector<float> logits;
  for (const auto& one : reader.predictions(evaluation.id)) {
    positives.push_back(one.target == positive);
    logits.insert(logits.end(), one.logits.begin(), one.logits.end());
  }
  return eval::choose_threshold(rule, positives,
                                eval::Probabilities::softmax(logits, 2).scores(positive));
}

/// Chosen on validation or out-of-fold predictions, and frozen then; a number is itself.
double frozen_threshold(const Reader& reader, const RunShown& run, const std::string& rule,
                        int positive) {
  if (!eval::is_chosen(rule))
    return eval::choose_threshold(rule, {}, eval::Scores(std::vector<double>{}));
  if (const auto chosen = frozen(run, "threshold")) return *chosen;
  for (const auto& one : reader.evaluations(run.id))
    if (one.row.purpose == "out_of_fold") return threshold_from(reader, one, rule, positive);
  throw Error(ExitCode::data,
              {fmt::format("has no threshold yet: \"{}\" is chosen when the training has ended",
                           printable(rule)),
               place(run), "let it finish: bcx resume " + run.short_id});
}

}  // namespace

bool is_evaluation(const Reader& reader, const RunShown& run) {
  return !run.parent.empty() && !is_folds(run) && reader.checkpoints(run.id).empty();
}

void add_model_options(CLI::App& command, ModelOptions& options) {
  command.add_option("RUN", options.run, "Name, id, @last or @best:KEY")->required();
  command.add_option("--checkpoint", options.checkpoint,
                     "best (the default), last, or a checkpoint file");
  command.add_option("--device", options.device, "auto, cpu, cuda or cuda:N (default: the run's)");
  command.add_option("--batch-size", options.batch_size, "Images at once (default: the run's)")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1} << 20));
  add_tracker_option(command, options.tracker);
  add_plugin_path_option(command, options.plugin_paths);
}

eval::Probabilities RunModel::probabilities(std::span<const float> logits) const {
  const double divisor = members.size() == 1 ? temperature : 1.0;
  return eval::tempered(logits, static_cast<int>(classes.size()), divisor);
}

RunModel open_run_model(const Reader& reader, const ModelOptions& options) {
  RunModel model{.run = open_run(reader, options.run)};
  const auto split = reader.split(model.run.id);
  if (!split)
    throw Error(ExitCode::data,
                {"has no data set: it ended before its data were read, or came from "
                 "elsewhere",
                 place(model.run), "name another run"});
  model.classes = split->dataset.classes;
  model.positive = split->dataset.positive;
  model.members = members_of(reader, model.run, options);
  model.opened = open_run_experiment(reader, model.run, options);
  model.threshold_rule = model.opened.experiment.evaluate.threshold;
  model.rule.positive = model.positive;
  const auto trained = is_evaluation(reader, model.run) ? reader.run(model.run.parent) : model.run;
  model.temperature = frozen(trained, "temperature").value_or(1.0);
  if (model.classes.size() == 2)
    model.rule.threshold = frozen_threshold(reader, trained, model.threshold_rule, model.positive);
  return model;
}

}  // namespace bcx::cli
