// `bcx run` and `bcx resume`: train an experiment, or go on with one.

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/signals.h"
#include "base/text.h"
#include "commands.h"
#include "console.h"
#include "folds.h"
#include "json_text.h"
#include "load_engine.h"
#include "open_experiment.h"
#include "resume_point.h"
#include "run_request.h"
#include "run_text.h"
#include "sweep_trial.h"
#include "tracker/reader.h"
#include "try_out.h"

namespace bcx::cli {
namespace {

struct RunOptions {
  ExperimentOptions experiment;
  std::string name, device, tracker, resume = "-";
  std::vector<std::string> tags;
  bool force = false, quiet = false, json = false, folds = false;
  bool dry_run = false, find_batch_size = false;
  std::int64_t overfit = 0, limit_batches = 0;
  double max_minutes = 0;  ///< 0: no limit
  TrialOptions trial;
  std::string find_lr = "-";  ///< "-": no; "": tell; "use": tell and train with it
};

/// What is gone on with.
struct Unfinished {
  std::optional<engine::ResumePoint> run;
  std::optional<FoldsPoint> folds;
};

/// On standard error; a full disk there, or a lost terminal, is no reason to fail.
void tell(const std::string& text) {
  std::fputs(text.c_str(), stderr);
}

void print_outcome(const RunOptions& options, const config::Experiment& experiment,
                   const engine::RunOutcome& outcome) {
  if (options.json) {
    nlohmann::json metrics = nlohmann::json::object();
    for (const auto& [name, value] : outcome.metrics) metrics[name] = value;
    fmt::print("{}\n",
               dump_line(nlohmann::json({{"id", outcome.id},
                                         {"name", experiment.name},
                                         {"status", outcome.stopped ? "stopped" : "finished"},
                                         {"stamps", outcome.stamps},
                                         {"folder", outcome.folder.string()},
                                         {"metrics", metrics}})));
    return;
  }
  if (options.quiet) return;
  if (outcome.stopped) {
    if (outcome.resumable)
      tell(fmt::format("stopped; the state is saved. Go on with: bcx resume {}\n",
                       outcome.short_id));
    else
      tell("stopped before its first checkpoint; start it anew with `bcx run`\n");
    return;
  }
  if (options.folds)
    print_folds(tracker::Reader(experiment.tracker), outcome.id);
  else
    print_test_figures(outcome.metrics);
  for (const auto& stamp : outcome.stamps) fmt::print("stamped {}\n", stamp);
  tell(fmt::format("\nbcx show {} shows everything about this run\n", outcome.short_id));
}

engine::RunOutcome run_folds(const engine::RunRequest& run, std::optional<FoldsPoint> point,
                             train::Observer& observer) {
  engine::FoldsRequest request{.run = run};
  if (point) {
    request.parent = std::move(point->parent);
    request.attempts = point->attempts;
    request.folds = std::move(point->folds);
  }
  return load_engine().run_folds(request, observer);
}

int execute(const RunOptions& options, const OpenedExperiment& opened, Unfinished unfinished) {
  auto request = request_for(opened);
  request.resume = std::move(unfinished.run);
  request.trial = trial_of(options.trial);
  request.micro_batches = options.trial.micro_batches;
  const SignalScope signals;
  const auto observer =
      make_observer(request.trial, opened.experiment.tracker, options.quiet || options.json);
  for (const auto& text : config::advice(opened.experiment, *opened.catalog))
    observer->message(train::Tone::warning, text);
  const auto outcome = options.folds ? run_folds(request, std::move(unfinished.folds), *observer)
                                     : load_engine().run(request, *observer);
  print_outcome(options, opened.experiment, outcome);
  return static_cast<int>(outcome.stopped ? ExitCode::stopped : ExitCode::ok);
}

Unfinished point_of(const tracker::Reader& reader, const std::string& id, bool force) {
  const auto run = reader.run(id);
  if (is_folds(run)) return {std::nullopt, folds_point(reader, run, force)};
  return {resume_point(reader, run, force), std::nullopt};
}

void add_overrides(RunOptions& options) {
  auto& values = options.experiment.options;
  if (!options.name.empty()) values.push_back({"--name", "experiment.name", options.name});
  if (!options.device.empty()) values.push_back({"--device", "train.device", options.device});
  if (!options.tracker.empty()) values.push_back({"--tracker", "tracker.path", options.tracker});
  // Before --set, which therefore has the last word.
  auto& sets = options.experiment.sets;
  if (options.overfit > 0)
    sets.insert(sets.begin(), fmt::format("train.overfit_batches={}", options.overfit));
  if (options.limit_batches > 0)
    sets.insert(sets.begin(), fmt::format("train.limit_batches={}", options.limit_batches));
  for (const auto& tag : options.tags) values.push_back({"--tag", "experiment.tags.append", tag});
}

/// The experiment with what the options say; --max-time is the callback time_limit, the
/// experiment's own one if it has one.
OpenedExperiment open_with_limit(RunOptions& options) {
  auto opened = open_experiment(options.experiment);
  if (options.max_minutes == 0) return opened;
  const auto& callbacks = opened.experiment.callbacks;
  const bool has_one = std::any_of(callbacks.begin(), callbacks.end(), [](const auto& callback) {
    return callback.name == "time_limit";
  });
  auto& sets = options.experiment.sets;
  sets.insert(sets.begin(),
              has_one ? fmt::format("callback.time_limit.minutes={}", options.max_minutes)
                      : fmt::format("callback.append=[{{ name = \"time_limit\", minutes = {} }}]",
                                    options.max_minutes));
  return open_experiment(options.experiment);
}

/// --dry-run and --find-lr. Whether the run is to follow.
bool try_out(RunOptions& options, const OpenedExperiment& opened) {
  auto request = request_for(opened);
  const SignalScope signals;
  ConsoleObserver observer(options.quiet || options.json);
  if (options.dry_run) {
    dry_run(request, observer, options.json);
    return false;
  }
  request.name = opened.experiment.name + "-find-lr";
  const auto rate = find_learning_rate(request, observer, options.json && options.find_lr.empty());
  if (options.find_lr.empty() || !rate) return false;
  options.experiment.sets.push_back(fmt::format("optimizer.learning_rate={:.2g}", *rate));
  return true;
}

int run(RunOptions options) {
  add_overrides(options);
  auto opened = open_with_limit(options);
  if (options.find_batch_size)
    return find_batch_size(options.experiment, opened.experiment, options.json);
  if (options.dry_run || options.find_lr != "-") {
    if (!try_out(options, opened)) return 0;
    opened = open_experiment(options.experiment);
  }
  Unfinished unfinished;
  if (options.resume != "-" && std::filesystem::exists(opened.experiment.tracker)) {
    const tracker::Reader reader(opened.experiment.tracker);
    const auto id = options.resume.empty()
                        ? find_unfinished(reader, opened.experiment.name, options.folds)
                        : std::optional(reader.find(options.resume).id);
    if (id) unfinished = point_of(reader, *id, options.force);
  }
  options.folds = options.folds || unfinished.folds;
  return execute(options, opened, std::move(unfinished));
}

int resume(RunOptions options, const std::string& which) {
  const std::filesystem::path database = options.tracker.empty()
                                             ? tracker::default_database()
                                             : std::filesystem::path(options.tracker);
  Unfinished point;
  {
    const tracker::Reader reader(database);
    const auto id = reader.find(which).id;
    const auto run = reader.run(id);
    if (run.status == "finished" && options.experiment.sets.empty() && options.max_minutes == 0)
      throw Error(ExitCode::usage,
                  {"is finished", "run " + run.name,
                   "give it more epochs: bcx resume " + which + " --set train.epochs=N"});
    point = point_of(reader, id, options.force);
    options.folds = point.folds.has_value();
    options.experiment.file = (reader.folder() / run.folder / "experiment.toml").string();
  }
  options.tracker = std::filesystem::absolute(database).string();
  add_overrides(options);
  return execute(options, open_with_limit(options), std::move(point));
}

void add_output_options(CLI::App& command, RunOptions& options) {
  command
      .add_option("--max-time", options.max_minutes,
                  "Stop training after so long, all attempts together, and evaluate: 45m, 2h, 1.5d")
      ->type_name("TIME")
      ->transform(CLI::AsNumberWithUnit(
          std::map<std::string, double>{{"s", 1.0 / 60}, {"m", 1}, {"h", 60}, {"d", 1440}},
          CLI::AsNumberWithUnit::UNIT_REQUIRED))
      ->check(CLI::PositiveNumber);
  command.add_option("--tracker", options.tracker, "The run database (default: the experiment's)");
  command.add_option("--device", options.device, "auto, cpu, cuda or cuda:N");
  command.add_flag("--force", options.force,
                   "Resume although configuration, data or plugins differ");
  command.add_flag("--quiet", options.quiet, "Warnings alone");
  command.add_flag("--json", options.json, "The outcome as one JSON object");
  add_trial_options(command, options.trial);
}

}  // namespace

void add_run(CLI::App& app, Action& action) {
  auto options = std::make_shared<RunOptions>();
  auto* command = app.add_subcommand("run", "Train the model of an experiment file");
  add_experiment_options(*command, options->experiment);
  command->add_option("--name", options->name, "The run's name instead of the experiment's");
  command->add_option("--tag", options->tags, "One more tag")->expected(1)->take_all();
  command
      ->add_option("--resume", options->resume, "Go on with RUN, or with the newest unfinished one")
      ->expected(0, 1)
      ->default_str("");
  command->add_flag("--folds", options->folds,
                    "A run for each fold of the split, and what they say together");
  command->add_flag("--dry-run", options->dry_run,
                    "Three steps and a validation batch, nothing recorded; how long a run takes");
  command
      ->add_option("--find-lr", options->find_lr,
                   "Learning-rate range test; with `use`, train with what it suggests")
      ->expected(0, 1)
      ->default_str("")
      ->check(CLI::IsMember({"", "use"}));
  command->add_flag("--find-batch-size", options->find_batch_size,
                    "Try batch sizes 2, 4, 8, ... for speed and memory");
  command
      ->add_option("--overfit", options->overfit,
                   "Train on the same N batches, unaugmented: can the model learn at all?")
      ->type_name("N")
      ->check(CLI::PositiveNumber);
  command
      ->add_option("--limit-batches", options->limit_batches,
                   "Only N batches of each epoch and evaluation")
      ->type_name("N")
      ->check(CLI::PositiveNumber);
  add_output_options(*command, *options);
  command->footer("Example: bcx run experiments/densenet201.toml --set train.epochs=5");
  command->callback([&action, options] { action = [options] { return run(*options); }; });

  auto resume_options = std::make_shared<RunOptions>();
  auto which = std::make_shared<std::string>("@last");
  auto* go_on = app.add_subcommand("resume", "Go on with a stopped or crashed run");
  go_on->add_option("RUN", *which, "Name, id, or @last (the default)");
  add_set_option(*go_on, resume_options->experiment.sets, "Change a key, for more epochs");
  add_plugin_path_option(*go_on, resume_options->experiment.plugin_paths);
  add_output_options(*go_on, *resume_options);
  go_on->footer("Example: bcx resume @last");
  go_on->callback([&action, resume_options, which] {
    action = [resume_options, which] { return resume(*resume_options, *which); };
  });
}

}  // namespace bcx::cli
