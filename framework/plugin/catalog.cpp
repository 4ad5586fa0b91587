#include "plugin/catalog.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "base/error.h"
#include "base/paths.h"
#include "base/shared_object.h"
#include "base/text.h"
#include "plugin/abi_check.h"
#include "plugin/trust.h"

namespace bcx::plugin {
namespace {

constexpr std::string_view suffix = ".bcx.so";

// A manifest's mistakes, told as the plugin file's.
[[noreturn]] void rethrow_manifest_errors(const Error& error, const std::string& where) {
  const auto* list = dynamic_cast<const ErrorList*>(&error);
  std::vector<Error> errors;
  for (const Error& one : list ? list->errors() : std::vector<Error>{error}) {
    const auto& parts = one.parts();
    errors.emplace_back(ExitCode::plugin,
                        ErrorParts{parts.where + ": " + parts.what, where, parts.remedy});
  }
  throw ErrorList(std::move(errors));
}

Manifest read_manifest(const ElfFile& file) {
  const std::string where = printable(file.path().string());
  const auto text = file.section(sdk::manifest_section, manifest_limit);
  if (!text)
    throw Error(ExitCode::plugin,
                {fmt::format("has no manifest (section {})", sdk::manifest_section), where,
                 "build it with bcx_add_plugin()"});
  try {
    return parse_manifest(*text, "plugin.toml");
  } catch (const Error& error) {
    rethrow_manifest_errors(error, where);
  }
}

void require_machine(const ElfFile& file, std::uint16_t host) {
  if (file.machine() == host) return;
  throw Error(ExitCode::plugin, {fmt::format("is for {}, this bcx is for {}",
                                             machine_name(file.machine()), machine_name(host)),
                                 printable(file.path().string()), "build it on this machine"});
}

// A folder that somebody typed must be there; those of the environment may come and go.
void require_folder(const std::filesystem::path& folder, const char* said_by) {
  std::error_code ignored;
  if (!std::filesystem::is_directory(folder, ignored))
    throw Error(ExitCode::usage,
                {fmt::format("there is no folder {}", printable(folder.string())), said_by, {}});
}

std::string reason_of(const Error& error) {
  const auto& parts = error.parts();
  return parts.remedy.empty() ? parts.what : parts.what + "; " + parts.remedy;
}

}  // namespace

PluginFile inspect(const std::filesystem::path& path) {
  const Build& host = host_build();
  const ElfFile file(path);
  require_machine(file, host.machine);
  PluginFile plugin{path, {}, {}, read_abi(file)};
  require_same_build(host, file, plugin.abi);
  plugin.manifest = read_manifest(file);
  if (!file.exports(sdk::entry_symbol))
    throw Error(ExitCode::plugin,
                {fmt::format("exports no {}", sdk::entry_symbol), printable(path.string()),
                 "end a source file with BCX_PLUGIN(...)"});
  plugin.build_id = file.build_id();
  for (auto& component : plugin.manifest.components) component.file = path.string();
  return plugin;
}

PluginCatalog::PluginCatalog(const Search& search) {
  for (const auto& folder : search.command_line) {
    require_folder(folder, "--plugin-path");
    add_folder(std::filesystem::absolute(folder));
  }
  for (const auto& folder : search.experiment) {
    require_folder(folder, "[plugins] path");
    add_folder(folder);
  }
  if (const char* told = std::getenv("BCX_PLUGIN_PATH"); told && search.environment)
    for (const auto& folder : split(told, ':'))
      if (!folder.empty()) {  // an empty entry would be the current directory
        if (folder.front() == '/')
          add_folder(folder);
        else
          refuse(folder, "BCX_PLUGIN_PATH: is no absolute path");
      }
  if (search.user) add_folder(data_folder() / "plugins");
  const auto built_in = search.built_in.value_or(library_folder() / "bcx/plugins");
  if (!built_in.empty()) add_folder(built_in);
  for (const auto& plugin : plugins_) add_components(plugin);
}

void PluginCatalog::add_folder(const std::filesystem::path& told) {
  std::error_code failed;
  const auto folder = std::filesystem::canonical(told, failed);
  if (failed == std::errc::no_such_file_or_directory) return;
  if (failed) return refuse(told, fmt::format("cannot be opened: {}", failed.message()));
  if (std::ranges::find(folders_, folder) != folders_.end()) return;
  folders_.push_back(folder);
  if (const auto objection = distrust(folder)) return refuse(folder, *objection);
  std::vector<std::filesystem::path> files;
  std::filesystem::directory_iterator entries(folder, failed);
  for (; !failed && entries != std::filesystem::directory_iterator(); entries.increment(failed))
    if (entries->path().filename().string().ends_with(suffix)) files.push_back(entries->path());
  if (failed) refuse(folder, fmt::format("cannot be read: {}", failed.message()));
  std::ranges::sort(files);
  for (const auto& file : files) add_file(file);
}

void PluginCatalog::add_file(const std::filesystem::path& told) {
  std::error_code failed;
  const auto path = std::filesystem::canonical(told, failed);
  if (failed) return refuse(told, fmt::format("cannot be opened: {}", failed.message()));
  if (const auto objection = distrust(path)) return refuse(told, *objection);
  // A link may lead out of the folder that was checked.
  if (path.parent_path() != folders_.back())
    if (const auto objection = distrust(path.parent_path()))
      return refuse(told, fmt::format("the folder {} {}", printable(path.parent_path().string()),
                                      *objection));
  try {
    PluginFile plugin = inspect(path);
    const auto same = std::ranges::find(plugins_, plugin.manifest.name,
                                        [](const PluginFile& p) { return p.manifest.name; });
    if (same != plugins_.end() && same->path == path) return;
    if (same != plugins_.end())
      return refuse(told, fmt::format("plugin \"{}\" is shadowed by {}", plugin.manifest.name,
                                      printable(same->path.string())));
    plugins_.push_back(std::move(plugin));
  } catch (const ErrorList& list) {
    for (const auto& error : list.errors()) refuse(told, reason_of(error));
  } catch (const Error& error) {
    if (error.code() != ExitCode::plugin) throw;  // this bcx itself is incomplete
    refuse(told, reason_of(error));
  }
}

void PluginCatalog::add_components(const PluginFile& plugin) {
  for (const auto& component : plugin.manifest.components) {
    const auto [place, added] = components_[component.kind].emplace(component.name, component);
    if (!added)
      refuse(plugin.path, fmt::format("{} \"{}\" is shadowed by {}", name_of(component.kind),
                                      component.name, printable(place->second.file)));
  }
}

void PluginCatalog::refuse(const std::filesystem::path& path, std::string reason) {
  findings_.push_back({path, std::move(reason)});
}

const config::ComponentSpec* PluginCatalog::find(config::ComponentKind kind,
                                                 std::string_view name) const {
  const auto of_kind = components_.find(kind);
  if (of_kind == components_.end()) return nullptr;
  const auto found = of_kind->second.find(name);
  return found == of_kind->second.end() ? nullptr : &found->second;
}

std::vector<std::string> PluginCatalog::names(config::ComponentKind kind) const {
  std::vector<std::string> names;
  if (const auto of_kind = components_.find(kind); of_kind != components_.end())
    for (const auto& [name, component] : of_kind->second) names.push_back(name);
  return names;
}

std::vector<const config::ComponentSpec*> PluginCatalog::components() const {
  std::vector<const config::ComponentSpec*> all;
  for (const auto& [kind, of_kind] : components_)
    for (const auto& [name, component] : of_kind) all.push_back(&component);
  return all;
}

const PluginFile* PluginCatalog::plugin(std::string_view name) const {
  const auto found = std::ranges::find(
      plugins_, name, [](const PluginFile& p) -> const std::string& { return p.manifest.name; });
  return found == plugins_.end() ? nullptr : &*found;
}

}  // namespace bcx::plugin
