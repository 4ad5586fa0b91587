// `bcx evaluate`: a finished run's model on data that it has not seen.

#include <fmt/format.h>

#include <filesystem>
#include <memory>

#include "base/error.h"
#include "base/signals.h"
#include "base/text.h"
#include "commands.h"
#include "console.h"
#include "data/audit.h"
#include "folds.h"
#include "load_engine.h"
#include "run_model.h"
#include "run_text.h"
#include "tracker_text.h"

namespace bcx::cli {
namespace {

struct EvaluateOptions {
  ModelOptions model;
  std::string data, name;
  std::vector<std::string> sets, allow;
  bool quiet = false;
};

/// Only the data are another; everything else is the model's own.
void require_data_key(const std::string& set) {
  for (const char* own : {"data.image_size", "data.cache_size", "data.resize", "data.interpolation",
                          "data.split", "data.audit"})
    if (set.starts_with(own))
      throw Error(ExitCode::usage, {fmt::format("{} is the model's own, or of no use here", own),
                                    "--set " + set, "what an audit finds is allowed with --allow"});
  if (!set.starts_with("data."))
    throw Error(ExitCode::usage, {"is no key of the data", "--set " + set,
                                  "bcx evaluate takes data.* alone; the rest is the run's own"});
}

/// The run's options with the data that were named in their place.
ModelOptions with_data(const EvaluateOptions& options) {
  auto model = options.model;
  for (const auto& set : options.sets) require_data_key(set);
  if (!options.data.empty())
    model.overrides.push_back(
        {"--data", "data.root", std::filesystem::absolute(options.data).string()});
  model.sets = options.sets;
  model.sets.push_back("train.limit_batches=0");  // what a short training was limited to
  std::vector<std::string> quoted;
  for (const auto& name : options.allow) quoted.push_back('"' + name + '"');
  if (!options.data.empty() || !options.sets.empty())
    model.sets.push_back(fmt::format("data.audit.allow=[{}]", join(quoted, ",")));
  // The record lies beside the run's, wherever its file was said to be.
  model.overrides.push_back(
      {"--tracker", "tracker.path",
       std::filesystem::absolute(tracker_path(options.model.tracker)).string()});
  return model;
}

void require_finding(const std::string& name) {
  const auto& known = data::audit_names();
  if (std::find(known.begin(), known.end(), name) != known.end()) return;
  const auto guess = did_you_mean(name, known);
  throw Error(ExitCode::usage, {fmt::format("no audit finding \"{}\"", printable(name)), "--allow",
                                guess.empty() ? "there are " + join(known, ", ") : guess});
}

std::vector<engine::SeenSample> seen_by(const tracker::Reader& reader,
                                        const tracker::RunShown& run) {
  std::vector<engine::SeenSample> seen;
  const auto add = [&](const std::string& id) {
    for (auto& one : reader.split_samples(id))
      if (one.part == "train" || one.part == "validation")
        seen.push_back({std::move(one.name), std::move(one.attributes)});
  };
  if (!is_folds(run)) add(run.id);
  // The folds together have seen everything that each was trained on.
  else
    for (const auto& fold : fold_runs(reader, run)) add(fold.id);
  return seen;
}

void print_result(const EvaluateOptions& options, const engine::RunOutcome& outcome) {
  if (outcome.stopped || options.quiet) return;
  print_test_figures(outcome.metrics);
  for (const auto& stamp : outcome.stamps) fmt::print("stamped {}\n", stamp);
  fmt::print(stderr, "\nbcx show {} shows everything about this evaluation\n", outcome.short_id);
}

int evaluate(const EvaluateOptions& options) {
  const SignalScope signals;
  for (const auto& name : options.allow) require_finding(name);
  const tracker::Reader reader(tracker_path(options.model.tracker));
  const auto model = open_run_model(reader, with_data(options));
  ModelOptions as_trained = options.model;
  const auto trained_on = open_run_model(reader, as_trained);
  if (is_evaluation(reader, model.run))
    throw Error(ExitCode::usage,
                {"was not trained, it is an evaluation itself", "run " + printable(model.run.name),
                 "name the run that it evaluates: " + reader.run(model.run.parent).short_id});
  const bool own = options.data.empty() && options.sets.empty();
  if (own && is_folds(model.run))
    throw Error(ExitCode::usage,
                {"has no test part of its own: every fold has", "run " + printable(model.run.name),
                 "name data that no fold has seen (--data ROOT), or a fold's run"});
  const auto split = reader.split(model.run.id);
  ConsoleObserver observer(options.quiet);
  const engine::EvaluateRequest request{
      .run = {.experiment = model.opened.experiment,
              .catalog = *model.opened.catalog,
              .command = command_line(),
              .git_commit = git_commit(),
              .version = BCX_VERSION,
              .name = options.name.empty() ? model.run.name + "-evaluate" : options.name,
              .parent = model.run.id},
      .trained_on = trained_on.opened.experiment,
      .trained_by = model.run.name,
      .classes = model.classes,
      .members = model.members,
      .trained_data = split->dataset.hash,
      .trained_split = split->row.hash,
      .seen = own ? std::vector<engine::SeenSample>{} : seen_by(reader, model.run),
      .own_test_part = own,
      .threshold = model.rule.threshold,
      .temperature = model.members.size() == 1 && model.temperature != 1.0
                         ? std::optional(model.temperature)
                         : std::nullopt};
  const auto outcome = load_engine().evaluate(request, observer);
  print_result(options, outcome);
  return static_cast<int>(outcome.stopped ? ExitCode::stopped : ExitCode::ok);
}

}  // namespace

void add_evaluate(CLI::App& app, Action& action) {
  auto options = std::make_shared<EvaluateOptions>();
  options->model.views = 0;
  auto* command = app.add_subcommand(
      "evaluate", "Evaluate a run's model on data that it has not seen, or on its own test part");
  add_model_options(*command, options->model);
  command->add_option("--data", options->data, "The data's root (default: the run's own test part)")
      ->type_name("ROOT");
  command->add_option("--set", options->sets, "A key of the data: --set data.source=folders")
      ->type_name("K=V")
      ->expected(1)
      ->take_all()
      ->allow_extra_args(false);
  command
      ->add_option("--allow", options->allow,
                   "Evaluate although the audit finds this: group_overlap, ... (stamps the run)")
      ->type_name("FINDING")
      ->expected(1)
      ->take_all()
      ->allow_extra_args(false);
  command
      ->add_option("--tta", options->model.views,
                   "Views of test-time augmentation, beside the image itself (default: the run's)")
      ->check(CLI::Range(1, 1000));
  command->add_option("--name", options->name, "The evaluation's name (default: RUN-evaluate)");
  command->add_flag("--quiet", options->quiet, "Warnings alone");
  command->footer("Example: bcx evaluate @last --data ../other-hospital --set data.source=folders");
  command->callback([&action, options] { action = [options] { return evaluate(*options); }; });
}

}  // namespace bcx::cli
