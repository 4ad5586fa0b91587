// `bcx plugins list | show`: what there is to put into an experiment, without loading any of it;
// `new` and `check`, for authors, are in files of their own.

#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/table.h"
#include "base/text.h"
#include "commands.h"
#include "config/validate.h"
#include "json_text.h"
#include "open_experiment.h"
#include "plugin/catalog.h"
#include "plugin_text.h"
#include "plugins_author.h"

namespace bcx::cli {
namespace {

using config::ComponentKind;
using config::ComponentSpec;
using plugin::PluginCatalog;

constexpr ComponentKind kinds[] = {ComponentKind::backbone, ComponentKind::augmentation,
                                   ComponentKind::preprocess, ComponentKind::optimizer,
                                   ComponentKind::callback};

struct Options {
  std::vector<std::string> folders;
  std::string kind, name;
  bool json = false, toml = false;
};

PluginCatalog open_catalog(const Options& options) {
  plugin::Search search;
  search.command_line.assign(options.folders.begin(), options.folders.end());
  return PluginCatalog(search);
}

std::vector<const ComponentSpec*> selected(const PluginCatalog& catalog, const std::string& kind) {
  std::vector<const ComponentSpec*> found;
  for (const ComponentKind one : kinds)
    if (kind.empty() || kind == name_of(one))
      for (const auto& name : catalog.names(one)) found.push_back(catalog.find(one, name));
  return found;
}

void print_findings(const PluginCatalog& catalog) {
  if (catalog.findings().empty()) return;
  fmt::print("\nnot used:\n");
  for (const auto& finding : catalog.findings())
    fmt::print("  {}: {}\n", printable(finding.path.string()), finding.reason);
}

int list(const Options& options) {
  const PluginCatalog catalog = open_catalog(options);
  const auto components = selected(catalog, options.kind);
  if (options.json) {
    fmt::print("{}\n", dump(list_json(catalog, components)));
    return 0;
  }
  if (components.empty()) {
    fmt::print("no {} found; looked in:\n",
               options.kind.empty() ? "plugin" : "plugin of kind " + options.kind);
    for (const auto& folder : catalog.folders()) fmt::print("  {}\n", printable(folder.string()));
  } else {
    fmt::print("{}", list_table(components).text(terminal_width()));
  }
  print_findings(catalog);
  return 0;
}

// A component's name, in every kind that has it, or a plugin's, which stands for all it offers.
std::vector<const ComponentSpec*> named(const PluginCatalog& catalog, const std::string& name) {
  std::vector<const ComponentSpec*> found;
  for (const auto* component : catalog.components())
    if (component->name == name) found.push_back(component);
  if (!found.empty()) return found;
  for (const auto* component : catalog.components())
    if (component->plugin == name) found.push_back(component);
  return found;
}

[[noreturn]] void unknown_name(const PluginCatalog& catalog, const std::string& name) {
  std::vector<std::string> candidates;
  for (const auto* component : catalog.components()) {
    candidates.push_back(component->name);
    candidates.push_back(component->plugin);
  }
  std::string remedy = did_you_mean(name, candidates);
  if (remedy.empty()) remedy = "`bcx plugins list` shows what there is";
  throw Error(ExitCode::plugin,
              {fmt::format("there is no component or plugin \"{}\"", printable(name)), {}, remedy});
}

int show(const Options& options) {
  const PluginCatalog catalog = open_catalog(options);
  const auto components = named(catalog, options.name);
  if (components.empty()) unknown_name(catalog, options.name);
  for (std::size_t i = 0; i < components.size(); ++i) {
    if (i > 0) fmt::print("\n");
    const auto& component = *components[i];
    fmt::print("{}", options.toml ? snippet(component)
                                  : description(component, *catalog.plugin(component.plugin),
                                                terminal_width()));
  }
  return 0;
}

}  // namespace

void add_plugins(CLI::App& app, Action& action) {
  auto options = std::make_shared<Options>();
  auto* plugins =
      app.add_subcommand("plugins", "What plugins offer: backbones, augmentations, ...");
  plugins->require_subcommand(1);

  auto* listing = plugins->add_subcommand("list", "All components, and files that are not used");
  std::vector<std::string> words;
  for (const ComponentKind kind : kinds) words.emplace_back(name_of(kind));
  listing->add_option("--kind", options->kind, "Only this kind")->check(CLI::IsMember(words));
  listing->add_flag("--json", options->json, "For programs");
  add_plugin_path_option(*listing, options->folders);
  listing->footer("Example: bcx plugins list --kind backbone");
  listing->callback([options, &action] { action = [options] { return list(*options); }; });

  auto* showing = plugins->add_subcommand("show", "One component's parameters");
  showing->add_option("name", options->name, "A component (rotate) or a plugin (densenet)")
      ->required()
      ->type_name("NAME");
  showing->add_flag("--toml", options->toml, "As lines to paste into an experiment file");
  add_plugin_path_option(*showing, options->folders);
  showing->footer("Example: bcx plugins show rotate --toml");
  showing->callback([options, &action] { action = [options] { return show(*options); }; });

  add_plugins_new(*plugins, action);
  add_plugins_check(*plugins, action);
}

}  // namespace bcx::cli
