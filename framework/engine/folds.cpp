#include "engine/folds.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/signals.h"
#include "base/text.h"
#include "config/load.h"
#include "data/audit.h"
#include "data/pack.h"
#include "data/scan.h"
#include "engine/evaluation.h"
#include "engine/run.h"
#include "engine/run_record.h"
#include "eval/folds.h"
#include "eval/recorded_predictions.h"
#include "tracker/reader.h"
#include "train/device.h"

namespace bcx::engine {
namespace {

using train::Tone;

constexpr std::string_view fold_key = "data.split.fold";

data::SampleTable table_of(const config::DataConfig& config) {
  return config.source == "packed" ? data::decode_packed(config).table : data::scan(config);
}

/// How many folds there are. Every fold is split once, so that one that cannot be is told before
/// the first is trained.
std::int64_t checked_folds(const config::Experiment& e) {
  if (e.train.overfit_batches > 0)
    throw Error(ExitCode::usage, {"an overfitted model has no test predictions to sum up",
                                  "train.overfit_batches", "leave out --folds, or --overfit"});
  const auto table = table_of(e.data);
  const auto count = data::number_of_folds(table, e.data.split);
  if (count < 2)
    throw Error(ExitCode::usage,
                {fmt::format("there is one fold with method \"{}\"", e.data.split.method),
                 "data.split.method",
                 "--folds goes with kfold, repeated, leave_one_group_out or several files"});
  for (std::int64_t fold = 0; fold < count; ++fold) {
    throw_if_stopped("splitting the data");
    auto config = e.data.split;
    config.fold = fold;
    const auto split = data::make_split(table, config, e.data.patient);
    data::require_clean(data::audit(table, split, nullptr, e.data.allow, e.data.patient));
  }
  return count;
}

/// What a fold's run said of its test part, with everything about the samples.
struct FoldResult {
  eval::Predictions predictions;
  tracker::SplitShown split;
};

FoldResult result_of(const tracker::Reader& reader, const std::string& run, std::int64_t fold) {
  std::optional<std::int64_t> evaluation;
  double temperature = 1.0;
  for (const auto& one : reader.evaluations(run))
    if (one.row.part == "test" && one.row.purpose == "final" && one.row.tta == 1) {
      evaluation = one.id;
      temperature = one.row.temperature.value_or(1.0);
    }
  auto split = reader.split(run);
  if (!evaluation || !split)
    throw Error(ExitCode::data, {"has no predictions of its test part",
                                 fmt::format("fold {}, run {}", fold, run), ""});
  return {eval::recorded_predictions(reader.predictions(*evaluation), split->dataset.classes.size(),
                                     temperature),
          std::move(*split)};
}

/// One pass through all samples: all folds, or those of one repeat.
struct Pass {
  std::vector<std::int64_t> folds;
  eval::FoldSummary summary;
};

class Folds {
 public:
  Folds(const FoldsRequest& request, train::Observer& observer)
      : request_(request), e_(request.run.experiment), observer_(observer) {}

  RunOutcome execute();

 private:
  void open_parent(std::int64_t folds);
  RunOutcome run_fold(std::int64_t fold);
  bool train_folds();
  void add_stamps(const std::string& run);
  void record_data(const std::vector<FoldResult>& results);
  void record_pass(const std::vector<FoldResult>& results, const Pass& pass);
  void record_folds(const std::vector<Pass>& passes);
  NamedValues conclude();

  const FoldsRequest& request_;
  const config::Experiment& e_;
  train::Observer& observer_;
  std::int64_t count_ = 0;
  std::unique_ptr<tracker::RunWriter> parent_;
  std::vector<std::string> runs_;  // of each fold
  std::vector<std::string> stamps_;
};

void Folds::open_parent(std::int64_t folds) {
  const int threads =
      train::apply_process_settings({static_cast<int>(e_.train.threads), e_.train.deterministic});
  const auto device = train::resolve_device(e_.train.device);
  if (request_.parent) {
    parent_ = tracker::RunWriter::resume(e_.tracker, *request_.parent, {},
                                         system_rows(device, threads), request_.attempts);
  } else {
    auto description = describe(request_.run, device, threads);
    std::erase_if(description.params, [](const auto& param) { return param.key == fold_key; });
    description.params.push_back({"folds", folds, false, "--folds"});
    parent_ = tracker::RunWriter::create(e_.tracker, description);
    write_atomically(parent_->folder() / "experiment.toml", config::resolved_text(e_));
  }
  observer_.message(Tone::note, fmt::format("folds    {} in {} ({})", folds,
                                            printable(parent_->name()), parent_->short_id()));
}

RunOutcome Folds::run_fold(std::int64_t fold) {
  const auto experiment = fold_experiment(e_, fold);
  const auto known = request_.folds.find(fold);
  RunRequest request{.experiment = experiment,
                     .catalog = request_.run.catalog,
                     .command = request_.run.command,
                     .git_commit = request_.run.git_commit,
                     .version = request_.run.version,
                     .may_fetch_weights = request_.run.may_fetch_weights};
  request.name = fmt::format("{}-fold{}", e_.name, fold);
  request.parent = parent_->id();
  if (known != request_.folds.end()) request.resume = known->second.resume;
  observer_.message(
      Tone::note, fmt::format("fold     {} of {} (data.split.fold = {})", fold + 1, count_, fold));
  return run_experiment(request, observer_);
}

/// What marks a fold marks them all.
void Folds::add_stamps(const std::string& run) {
  for (const auto& [name, detail] : tracker::Reader(e_.tracker).run(run).stamps) {
    parent_->stamp(name, detail);
    if (std::find(stamps_.begin(), stamps_.end(), name) == stamps_.end()) stamps_.push_back(name);
  }
}

/// False when a signal came.
bool Folds::train_folds() {
  for (std::int64_t fold = 0; fold < count_; ++fold) {
    const auto known = request_.folds.find(fold);
    if (known != request_.folds.end() && !known->second.finished.empty()) {
      runs_.push_back(known->second.finished);
      add_stamps(runs_.back());
      continue;
    }
    const auto outcome = run_fold(fold);
    runs_.push_back(outcome.id);
    add_stamps(runs_.back());
    if (outcome.stopped || stop_signal() != 0) return false;
  }
  return true;
}

/// The parent's split: every sample is tested once, by a model that has not seen it.
void Folds::record_data(const std::vector<FoldResult>& results) {
  const auto& first = results.front().split;
  std::vector<tracker::SplitMember> members;
  std::set<std::uint64_t> seen;
  Sha256 sum;
  for (const auto& result : results) {
    if (result.split.dataset.hash != first.dataset.hash)
      throw Error(ExitCode::data, {"the folds' runs have different data", e_.name,
                                   "start all folds anew with `bcx run --folds`"});
    sum.update(result.split.row.hash + "\n");
    for (const auto id : result.predictions.ids)
      if (seen.insert(id).second) members.push_back({id, "test"});
  }
  parent_->dataset(first.dataset, {});  // the samples are there, of the folds' runs
  parent_->split({.hash = sum.hex(),
                  .dataset = first.dataset.hash,
                  .method = e_.data.split.method,
                  .by = first.row.by,
                  .fold = 0,
                  .folds = 0,  // it is all of them
                  .audit = "[]"},
                 members);
}

void Folds::record_pass(const std::vector<FoldResult>& results, const Pass& pass) {
  tracker::EvaluationRow row{.cursor = {},
                             .checkpoint = {},
                             .dataset = {},
                             .part = "test",
                             .purpose = "out_of_fold",
                             .tta = 1,
                             .precision = e_.train.precision,
                             .threshold = e_.evaluate.threshold,
                             .threshold_value = std::nullopt,
                             .metrics = {}};
  const bool one_threshold =
      std::adjacent_find(pass.summary.thresholds.begin(), pass.summary.thresholds.end(),
                         std::not_equal_to<>()) == pass.summary.thresholds.end();
  if (one_threshold) row.threshold_value = pass.summary.thresholds.front();
  for (const auto& [name, figure] : pass.summary.figures)
    row.metrics.emplace_back(name, figure.mean);
  for (const auto& [name, value] : pass.summary.pooled)
    row.metrics.emplace_back("pooled." + name, value);
  std::vector<std::uint64_t> ids;
  std::vector<float> logits;
  for (const auto fold : pass.folds) {
    const auto& predictions = results[static_cast<std::size_t>(fold)].predictions;
    ids.insert(ids.end(), predictions.ids.begin(), predictions.ids.end());
    logits.insert(logits.end(), predictions.logits.begin(), predictions.logits.end());
  }
  parent_->evaluation(row, ids, logits);
}

/// Mean and spread over all folds; pooled figures over each pass, meaned over the repeats.
NamedValues figures_of(const std::vector<Pass>& passes) {
  std::map<std::string, std::vector<std::pair<std::size_t, double>>> values, pooled;
  for (std::size_t i = 0; i < passes.size(); ++i) {
    for (const auto& [name, figure] : passes[i].summary.figures)
      values[name].insert(values[name].end(), figure.values.begin(), figure.values.end());
    for (const auto& [name, value] : passes[i].summary.pooled) pooled[name].emplace_back(i, value);
  }
  NamedValues all;
  for (auto& [name, list] : values) {
    const eval::FoldFigure figure(std::move(list));
    all.emplace_back("test." + name, figure.mean);
    if (figure.values.size() > 1) all.emplace_back("test." + name + ".sd", figure.sd);
  }
  for (auto& [name, list] : pooled)
    all.emplace_back("test.pooled." + name, eval::FoldFigure(std::move(list)).mean);
  return all;
}

/// `fold.auc` and the like, the step being the fold.
void Folds::record_folds(const std::vector<Pass>& passes) {
  for (const auto& pass : passes)
    for (std::size_t i = 0; i < pass.folds.size(); ++i) {
      NamedValues values;
      for (const auto& [name, figure] : pass.summary.figures)
        for (const auto& [fold, value] : figure.values)
          if (fold == i) values.emplace_back("fold." + name, value);
      const auto fold = pass.folds[i];
      parent_->epoch_metrics(static_cast<double>(fold), fold, values);
    }
}

NamedValues Folds::conclude() {
  const tracker::Reader reader(e_.tracker);
  std::vector<FoldResult> results;
  for (std::size_t fold = 0; fold < runs_.size(); ++fold)
    results.push_back(result_of(reader, runs_[fold], static_cast<std::int64_t>(fold)));
  record_data(results);
  const std::int64_t repeats = e_.data.split.method == "repeated" ? e_.data.split.repeats : 1;
  std::vector<Pass> passes;
  for (std::int64_t repeat = 0; repeat < repeats; ++repeat) {
    Pass pass;
    std::vector<eval::Predictions> predictions;
    for (std::int64_t i = repeat * count_ / repeats; i < (repeat + 1) * count_ / repeats; ++i) {
      pass.folds.push_back(i);
      predictions.push_back(results[static_cast<std::size_t>(i)].predictions);
    }
    pass.summary = eval::summarise_folds(predictions, e_.evaluate.threshold,
                                         results.front().split.dataset.positive);
    record_pass(results, pass);
    passes.push_back(std::move(pass));
  }
  record_folds(passes);
  auto figures = figures_of(passes);
  parent_->epoch_metrics(static_cast<double>(count_), count_, figures);
  return figures;
}

RunOutcome Folds::execute() {
  count_ = checked_folds(e_);
  open_parent(count_);
  RunOutcome outcome;
  outcome.id = parent_->id();
  outcome.short_id = parent_->short_id();
  outcome.folder = parent_->folder();
  try {
    outcome.stopped = !train_folds();
    if (!outcome.stopped) outcome.metrics = conclude();
    parent_->finish(outcome.stopped ? tracker::Status::stopped : tracker::Status::finished,
                    outcome.stopped ? fmt::format("signal {}", stop_signal()) : "");
  } catch (const std::exception& error) {
    const auto reason = fmt::format("fold {}: {}", runs_.size(), error.what());
    parent_->event(tracker::Level::error, reason);
    parent_->finish(tracker::Status::failed, reason);
    throw;
  }
  outcome.stamps = stamps_;
  outcome.resumable = outcome.stopped;
  return outcome;
}

}  // namespace

config::Experiment fold_experiment(const config::Experiment& experiment, std::int64_t fold) {
  auto result = experiment;
  result.data.split.fold = fold;
  for (auto& one : result.resolved)
    if (one.key == fold_key) {
      one.value = fold;
      one.origin = config::Origin();
      one.origin.kind = config::Origin::Kind::command_line;
      one.origin.detail = "--folds";
    }
  return result;
}

RunOutcome run_folds(const FoldsRequest& request, train::Observer& observer) {
  return Folds(request, observer).execute();
}

}  // namespace bcx::engine
