// What every command that takes an experiment file does first.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "config/experiment.h"
#include "config/load.h"
#include "plugin/catalog.h"

namespace CLI {
class App;
}

namespace bcx::cli {

struct ExperimentOptions {
  std::string file;
  std::vector<std::string> sets;          ///< --set
  std::vector<std::string> plugin_paths;  ///< --plugin-path
  /// From options such as --device; filled in by the command.
  std::vector<config::OptionValue> options;
};

/// Adds --set, one value each time: `--set a=1 b=2` would swallow what follows.
void add_set_option(CLI::App& command, std::vector<std::string>& sets, const std::string& help);
/// Adds --plugin-path.
void add_plugin_path_option(CLI::App& command, std::vector<std::string>& folders);
/// Adds FILE, --set and --plugin-path.
void add_experiment_options(CLI::App& command, ExperimentOptions& options);

/// With this process's environment and the names of the metrics.
config::LoadOptions load_options(const ExperimentOptions& options);

struct OpenedExperiment {
  std::unique_ptr<plugin::PluginCatalog> catalog;
  config::Experiment experiment;
};

/// Finds the plugins and loads the experiment with this process's environment. Files are not looked
/// at: see config::check_files(). Throws ErrorList with every mistake; when one is a component that
/// no plugin has, the plugin files that are not fit for use are listed with their reasons.
OpenedExperiment open_experiment(const ExperimentOptions& options);

}  // namespace bcx::cli
