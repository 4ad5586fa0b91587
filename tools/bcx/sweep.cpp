// `bcx sweep run | resume | extend`: trials of an experiment, several at a time.

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/processors.h"
#include "base/signals.h"
#include "base/table.h"
#include "base/text.h"
#include "commands.h"
#include "json_text.h"
#include "sweep_commands.h"
#include "sweep_controller.h"
#include "sweep_plan.h"
#include "sweep_slurm.h"
#include "sweep_text.h"
#include "tracker_text.h"

namespace bcx::cli {
namespace {

struct RunOptions {
  SweepFileOptions file;
  std::string tracker, device, worker, which = "@last";
  std::int64_t jobs = 1, confirm = 0, top = 5, epochs = 0;
  bool dry_run = false, quiet = false, json = false;
};

WorkSettings work_settings(const RunOptions& options) {
  return {options.jobs, options.device, options.worker, options.quiet};
}

int work(sweep::Ledger& ledger, const RunOptions& options) {
  if (SweepController(ledger, work_settings(options)).run()) return 0;
  ledger.set_status("stopped");
  if (!options.quiet)
    fmt::print(stderr, "stopped; go on with: bcx sweep resume {}\n", ledger.sweep().short_id);
  return static_cast<int>(ExitCode::stopped);
}

/// Mean and spread of the confirming runs' test figures.
void print_confirmation(const sweep::Ledger& ledger, const std::vector<std::int64_t>& numbers) {
  const tracker::Reader reader(ledger.database());
  const auto metric =
      "test." + ledger.plan().objective.substr(ledger.plan().objective.find('.') + 1);
  std::vector<double> values;
  for (const auto& trial : ledger.trials()) {
    if (std::find(numbers.begin(), numbers.end(), trial.number()) == numbers.end() ||
        trial.row.run.empty())
      continue;
    const auto run = reader.run(trial.row.run);
    if (const auto found = run.metrics.find(metric); found != run.metrics.end())
      values.push_back(found->second.last);
  }
  if (values.empty()) return;
  double mean = 0, squares = 0;
  for (const double value : values) mean += value / static_cast<double>(values.size());
  for (const double value : values) squares += (value - mean) * (value - mean);
  fmt::print("confirmed on {} fresh seed{}: {} {:.4f}", values.size(),
             values.size() == 1 ? "" : "s", metric, mean);
  if (values.size() > 1)
    fmt::print(" ± {:.4f}", std::sqrt(squares / static_cast<double>(values.size() - 1)));
  fmt::print("\n");
}

/// The trials, then the confirmation of the best, then what came of it.
int run_through(sweep::Ledger& ledger, const RunOptions& options) {
  if (options.jobs == 0) {
    if (options.json)
      fmt::print("{}\n", dump(sweep_json(SweepState(ledger))));
    else if (!options.quiet)
      fmt::print(stderr, "bcx sweep ask {} gives out its trials\n", ledger.sweep().short_id);
    return 0;
  }
  const SignalScope signals;
  if (const int code = work(ledger, options)) return code;
  std::vector<std::int64_t> confirming;
  if (options.confirm > 0) {
    const SweepState state(ledger);
    if (state.ranking.empty())
      throw Error(ExitCode::other, {"no trial has a value: there is nothing to confirm",
                                    ledger.sweep().name, "see bcx sweep show"});
    confirming = ledger.confirm(state.ranking.front().point, options.confirm);
    if (const int code = work(ledger, options)) return code;
  }
  ledger.set_status("finished");
  const SweepState state(ledger);
  if (options.json) {
    fmt::print("{}\n", dump(sweep_json(state)));
    return 0;
  }
  if (options.quiet) return 0;
  fmt::print("{}", ranking_text(state, 5, terminal_width()));
  print_confirmation(ledger, confirming);
  fmt::print(stderr, "{}\nbcx sweep show {} shows all of it\n", counts_text(state),
             ledger.sweep().short_id);
  return 0;
}

int run(const RunOptions& options) {
  auto file = load_sweep_file(options.file);
  auto& plan = file.plan;
  if (plan.threads == 0)
    plan.threads =
        std::max<std::int64_t>(1, usable_cores() / std::max<std::int64_t>(options.jobs, 1));
  if (!options.quiet) print_plan(plan, file.warnings, options.jobs);
  if (options.dry_run) return 0;
  auto ledger = sweep::Ledger::begin(
      file.experiment.tracker, plan,
      options.file.another ? sweep::Ledger::Begin::another : sweep::Ledger::Begin::go_on);
  collect_results(ledger.database(), ledger.sweep().id, Queued::refuse);
  if (!options.quiet) {
    const SweepState state(ledger);
    fmt::print(stderr, "sweep    {} ({}){}\n", printable(ledger.sweep().name),
               ledger.sweep().short_id,
               state.trials.empty() ? "" : ", goes on: " + counts_text(state));
  }
  return run_through(ledger, options);
}

int resume(const RunOptions& options) {
  collect_results(tracker_path(options.tracker), options.which, Queued::refuse);
  sweep::Ledger ledger(tracker_path(options.tracker), options.which);
  ledger.set_status("running");
  if (!options.quiet) {
    print_plan(ledger.plan(), {}, options.jobs);
    fmt::print(stderr, "sweep    {} ({}), goes on: {}\n", printable(ledger.sweep().name),
               ledger.sweep().short_id, counts_text(SweepState(ledger)));
  }
  return run_through(ledger, options);
}

int extend(const RunOptions& options) {
  collect_results(tracker_path(options.tracker), options.which, Queued::refuse);
  sweep::Ledger ledger(tracker_path(options.tracker), options.which);
  std::vector<std::int64_t> numbers;
  {
    const SweepState state(ledger);
    for (const auto& one : state.ranking) {
      if (std::ssize(numbers) >= options.top * ledger.plan().seeds || one.broken) break;
      numbers.insert(numbers.end(), one.trials.begin(), one.trials.end());
    }
  }
  if (numbers.empty())
    throw Error(ExitCode::usage, {"no trial has a value yet", ledger.sweep().name,
                                  "let some finish: bcx sweep resume"});
  ledger.extend(numbers, options.epochs);
  ledger.set_status("running");
  return run_through(ledger, options);
}

void add_work_options(CLI::App& command, RunOptions& options) {
  command
      .add_option("--jobs,-j", options.jobs,
                  "Trials at a time (default: 1; 0: none, `bcx sweep ask` gives them out)")
      ->check(CLI::Range(0, 1024));
  command.add_option("--device", options.device, "auto, cpu, cuda or cuda:N");
  command
      .add_option("--confirm", options.confirm,
                  "Run the winner on N fresh seeds, and evaluate these on the test part")
      ->type_name("N")
      ->check(CLI::Range(1, 1000));
  command.add_flag("--quiet", options.quiet, "Failures alone");
  command.add_flag("--json", options.json, "The outcome as one JSON object");
  command.add_option("--worker", options.worker, "What runs a trial instead of bcx")->group("");
}

}  // namespace

void add_sweep(CLI::App& app, Action& action) {
  auto* group = app.add_subcommand("sweep", "Trials of an experiment over parameters");
  group->require_subcommand(1);

  auto options = std::make_shared<RunOptions>();
  auto* command = group->add_subcommand("run", "Run a sweep, or go on with it");
  add_sweep_file_options(*command, options->file);
  command->add_flag("--dry-run", options->dry_run, "Check everything, show the plan");
  add_work_options(*command, *options);
  command->footer(
      "Example: bcx sweep run experiments/sweeps/batch_size_x_learning_rate.toml --jobs 2\n"
      "         bcx sweep run experiments/quickstart.toml train.batch_size=8,16 "
      "'optimizer.learning_rate=log(1e-4,1e-2,3)'");
  command->callback([&action, options] { action = [options] { return run(*options); }; });

  auto again = std::make_shared<RunOptions>();
  auto* go_on = group->add_subcommand("resume", "Go on with a sweep as it began");
  add_sweep_options(*go_on, again->which, again->tracker);
  add_work_options(*go_on, *again);
  go_on->footer("Example: bcx sweep resume --jobs 2");
  go_on->callback([&action, again] { action = [again] { return resume(*again); }; });

  auto longer = std::make_shared<RunOptions>();
  auto* extending = group->add_subcommand("extend", "Train the best trials for more epochs");
  add_sweep_options(*extending, longer->which, longer->tracker);
  extending->add_option("--top", longer->top, "How many points (default: 5)")
      ->check(CLI::PositiveNumber);
  extending->add_option("--epochs", longer->epochs, "Epochs from the start")
      ->required()
      ->check(CLI::PositiveNumber);
  add_work_options(*extending, *longer);
  extending->footer("Example: bcx sweep extend @last --top 5 --epochs 50");
  extending->callback([&action, longer] { action = [longer] { return extend(*longer); }; });

  add_sweep_views(*group, action);
  add_sweep_engine(*group, action);
  add_sweep_slurm(*group, action);
}

}  // namespace bcx::cli
