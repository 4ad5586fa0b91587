#include "open_experiment.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "base/error.h"
#include "base/shell.h"
#include "base/text.h"
#include "eval/metric_names.h"

namespace bcx::cli {
namespace {

/// The mistakes, and after a missing component what may have kept it from being found.
[[noreturn]] void report(const ErrorList& mistakes, const plugin::PluginCatalog& catalog) {
  std::vector<Error> errors = mistakes.errors();
  const bool missing = std::any_of(errors.begin(), errors.end(), [](const Error& error) {
    return error.parts().what.find(": unknown ") != std::string::npos;
  });
  if (missing)
    for (const auto& finding : catalog.findings())
      errors.emplace_back(ExitCode::plugin,
                          ErrorParts{finding.reason, printable(finding.path.string()), ""});
  throw ErrorList(std::move(errors));
}

}  // namespace

void add_set_option(CLI::App& command, std::vector<std::string>& sets, const std::string& help) {
  command.add_option("--set", sets, help)
      ->type_name("K=V")
      ->expected(1)
      ->take_all()
      ->allow_extra_args(false);
}

void add_plugin_path_option(CLI::App& command, std::vector<std::string>& folders) {
  command
      .add_option("--plugin-path", folders, "Look for plugins in this folder first (repeatable)")
      ->type_name("DIR")
      ->expected(1)
      ->take_all()
      ->allow_extra_args(false);
}

void add_experiment_options(CLI::App& command, ExperimentOptions& options) {
  command.add_option("file", options.file, "The experiment file")->required()->type_name("FILE");
  add_set_option(command, options.sets, "Override one key: --set train.epochs=3 (repeatable)");
  add_plugin_path_option(command, options.plugin_paths);
}

config::LoadOptions load_options(const ExperimentOptions& options) {
  config::LoadOptions load;
  load.file = options.file;
  load.sets = options.sets;
  load.options = options.options;
  load.environment = config::experiment_environment();
  load.metrics = eval::metric_names();
  return load;
}

OpenedExperiment open_experiment(const ExperimentOptions& options) {
  if (std::filesystem::is_directory(options.file))
    throw Error(ExitCode::usage,
                {"is a folder, not an experiment file", printable(options.file),
                 "write one for its images: bcx new " + printable(shell_word(options.file))});
  const config::LoadOptions load = load_options(options);
  plugin::Search search;
  search.command_line.assign(options.plugin_paths.begin(), options.plugin_paths.end());
  search.experiment = config::plugin_paths(load);
  auto catalog = std::make_unique<plugin::PluginCatalog>(search);
  try {
    config::Experiment experiment = config::load_experiment(load, *catalog);
    return {std::move(catalog), std::move(experiment)};
  } catch (const ErrorList& mistakes) {
    report(mistakes, *catalog);
  }
}

}  // namespace bcx::cli
