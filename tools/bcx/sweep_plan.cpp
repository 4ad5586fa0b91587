#include "sweep_plan.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <filesystem>

#include "base/error.h"

namespace bcx::cli {

void add_sweep_file_options(CLI::App& command, SweepFileOptions& options) {
  add_experiment_options(command, options.experiment);
  command
      .add_option("PARAMETER", options.parameters,
                  "KEY=16,32,64 or KEY=log(1e-5,1e-2), uniform(0,1), int(1,5); a third number in "
                  "brackets: values of a grid")
      ->type_name("KEY=VALUES");
  command.add_option("--method", options.method, "grid, random, sobol or tpe");
  command.add_option("--trials", options.trials, "Points to try")->check(CLI::PositiveNumber);
  command.add_option("--tracker", options.tracker, "The run database (default: the experiment's)");
  command.add_flag("--new", options.another, "Another sweep, although this one is there");
}

sweep::SweepFile load_sweep_file(const SweepFileOptions& options) {
  sweep::SweepOptions load;
  load.load = load_options(options.experiment);
  plugin::Search search;
  search.command_line.assign(options.experiment.plugin_paths.begin(),
                             options.experiment.plugin_paths.end());
  search.experiment = config::plugin_paths(load.load);
  if (!options.tracker.empty())
    load.load.options.push_back({"--tracker", "tracker.path", options.tracker});
  if (!options.method.empty()) load.load.sets.push_back("sweep.method=" + options.method);
  if (options.trials > 0) load.load.sets.push_back(fmt::format("sweep.trials={}", options.trials));
  load.parameters = options.parameters;
  load.plugin_paths = options.experiment.plugin_paths;
  for (auto& path : load.plugin_paths) path = std::filesystem::absolute(path).string();
  const plugin::PluginCatalog catalog(search);
  auto file = sweep::load_sweep(load, catalog);
  if (auto missing = config::check_files(file.experiment); !missing.empty())
    throw ErrorList(std::move(missing));
  return file;
}

}  // namespace bcx::cli
