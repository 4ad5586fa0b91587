// From an experiment file to a validated Experiment.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/error.h"
#include "config/experiment.h"
#include "config/params.h"

namespace bcx::config {

/// A command line option that stands for one key: `--device cpu` is {"--device", "train.device",
/// "cpu"}. The text is taken literally, as a string; a key that ends in `.append` gets it as one
/// more element: `--tag t` is {"--tag", "experiment.tags.append", "t"}.
struct OptionValue {
  std::string option, key, text;
};

/// Everything that has a say. Order: files (extended ones first), environment, options, --set.
struct LoadOptions {
  std::filesystem::path file;
  std::vector<std::string> sets;     ///< `train.batch_size=32`: TOML, bare words are strings
  std::vector<OptionValue> options;  ///< from options with a name of their own
  std::map<std::string, std::string> environment;  ///< BCX_DATA, BCX_TRACKER; others are ignored
  /// Names of validation metrics without their "val.", which `monitor` of a callback is checked
  /// against. Empty: not checked.
  std::vector<std::string> metrics = {};
  /// Relative paths of options, --set, environment and tracker.path start here; absolute.
  std::filesystem::path working_directory = std::filesystem::current_path();
};

/// BCX_DATA and BCX_TRACKER of this process, where they are set and not empty.
std::map<std::string, std::string> experiment_environment();

/// Reads the file and those it extends, applies what overrides them, checks everything against the
/// schema and the catalog and gives the whole experiment. Looks at no file but the experiment's.
///
/// Throws bcx::ErrorList (usage; plugin when the only mistakes are components that no plugin has)
/// with every mistake, sorted by place: `file:line:column`, then `BCX_…`, `--set …`. Syntax errors
/// come alone: the first of each file.
Experiment load_experiment(const LoadOptions& options, const Catalog& catalog);

/// What the experiment names on the file system and is not there: the data's root, a weights file,
/// fold files. Errors carry ExitCode::data and the key's origin; empty when all is well.
std::vector<Error> check_files(const Experiment& experiment);

/// What is allowed and probably not meant, as sentences to warn with: crops of pictures that are
/// cached no larger than the network's input.
std::vector<std::string> advice(const Experiment& experiment, const Catalog& catalog);

/// `[plugins] path` alone, absolute, for building the catalog before the experiment can be checked.
/// Tolerant: files that cannot be read or parsed give no paths here, and their errors later.
std::vector<std::filesystem::path> plugin_paths(const LoadOptions& options);

/// The experiment as one TOML file in which every key is written, each with its origin as a
/// comment. Loading it gives an equal experiment (whatever the environment), with other origins.
std::string resolved_text(const Experiment& experiment);

/// SHA-256 over what decides a run's numbers, for resume: 64 hex digits. Left out: how long
/// (train.epochs, the callback time_limit), how it is called and recorded ([experiment] but the
/// seed, [tracker]), where files lie (every path: data, weights, plugins have hashes of their own),
/// data.workers and train.threads (compared by themselves), and disabled components.
std::string configuration_hash(const Experiment& experiment);

}  // namespace bcx::config
