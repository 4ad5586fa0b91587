#include "config/load.h"

#include <cstdlib>

#include "config/bind.h"
#include "config/conflicts.h"
#include "config/load_tree.h"
#include "config/merge.h"
#include "config/overrides.h"
#include "config/problems.h"
#include "config/resolve.h"
#include "config/schema.h"
#include "config/validate.h"

namespace bcx::config {

std::map<std::string, std::string> experiment_environment() {
  std::map<std::string, std::string> out;
  for (const char* name : {"BCX_DATA", "BCX_TRACKER"})
    if (const char* value = std::getenv(name); value && *value) out[name] = value;
  return out;
}

Experiment load_experiment(const LoadOptions& options, const Catalog& catalog) {
  Problems problems;
  Sources sources = read_sources(options.file, options.working_directory, problems);
  if (sources.failed) problems.throw_if_any();
  Experiment experiment = load_tree(sources.root, options, catalog, problems);
  problems.throw_if_any();
  experiment.source_text = std::move(sources.main_text);
  return experiment;
}

Experiment load_tree(Node root, const LoadOptions& options, const Catalog& catalog,
                     Problems& problems) {
  apply_environment(root, options);
  apply_command_line(root, options, problems);
  const Places places{options.working_directory, options.file};
  const Resolution resolution = resolve(root, catalog, places, problems);
  Experiment experiment = bind(resolution, places);
  check_conflicts(experiment, resolution, catalog, problems);
  if (!options.metrics.empty())
    check_monitors(experiment, resolution, catalog, options.metrics, problems);
  return experiment;
}

std::vector<std::filesystem::path> plugin_paths(const LoadOptions& options) {
  Problems ignored;
  Sources sources = read_sources(options.file, options.working_directory, ignored);
  apply_command_line(sources.root, options, ignored);
  const Section* section = find_section("plugins");
  const Node* table = sources.root.find("plugins");
  const Node* node = table ? table->find("path") : nullptr;
  if (!section || !node) return {};
  const Checked checked = check_value(section->params[0], *node);
  if (!checked.value) return {};
  std::vector<std::filesystem::path> paths;
  for (const auto& text : std::get<std::vector<std::string>>(*checked.value))
    paths.emplace_back(
        absolute_path(text, node->origin, {options.working_directory, options.file}));
  return paths;
}

}  // namespace bcx::config
