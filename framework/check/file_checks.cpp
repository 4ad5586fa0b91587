#include "check/file_checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <set>

#include "base/error.h"
#include "base/text.h"
#include "check/child.h"
#include "check/factories.h"
#include "check/subject.h"
#include "plugin/elf.h"
#include "plugin/loader.h"
#include "plugin/trust.h"
#include "weights/index.h"

namespace bcx::check {
namespace {

Result passed(const char* component, const char* name, std::string text) {
  return {component, name, Status::passed, std::move(text)};
}

Result failed(const char* component, const char* name, std::string text, std::string remedy = {}) {
  return {component, name, Status::failed, std::move(text), std::move(remedy)};
}

// Who could have written the file: the same refusal as when bcx looks for plugins.
bool check_place(const std::filesystem::path& file, const Report& report) {
  for (const auto& path : {file, file.parent_path()})
    if (const auto objection = plugin::distrust(path))
      return report(
          failed("file", "place", fmt::format("{} {}", printable(path.string()), *objection)));
  return true;
}

std::optional<plugin::PluginFile> check_sections(const std::filesystem::path& file,
                                                 const Report& report) {
  try {
    auto found = plugin::inspect(file);
    report(
        passed("file", "sections",
               fmt::format("SDK ABI {}, {}{}{}", found.abi.sdk_abi, printable(found.abi.compiler),
                           *found.abi.torch_version ? ", LibTorch " : ", without LibTorch",
                           printable(found.abi.torch_version))));
    return found;
  } catch (const ErrorList& list) {
    for (const auto& error : list.errors())
      report(failed("manifest", "reading", error.parts().what, error.parts().remedy));
  } catch (const Error& error) {
    if (error.code() != ExitCode::plugin) throw;  // this bcx itself is incomplete
    report(failed("file", "sections", error.parts().what, error.parts().remedy));
  }
  return std::nullopt;
}

void check_exports(const plugin::ElfFile& file, const Report& report) {
  auto names = file.exported();
  std::erase_if(names, [](const std::string& name) { return name.starts_with("bcx_plugin_"); });
  if (names.empty()) {
    report(passed("file", "exports", "bcx_plugin_entry alone"));
    return;
  }
  const auto count = names.size();
  names.resize(std::min<std::size_t>(count, 3));
  for (auto& name : names) name = printable(name);
  report(failed("file", "exports",
                fmt::format("exports {} more than its entry: {}{}",
                            count == 1 ? "one symbol" : fmt::format("{} symbols", count),
                            join(names, ", "), count > names.size() ? ", ..." : ""),
                "build it with bcx_add_plugin(), which hides them"));
}

std::string load_in_time(const std::filesystem::path& file) {
  const auto start = std::chrono::steady_clock::now();
  plugin::load(file);
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
  return fmt::format("in {:.1f} ms, with every library it needs", took.count());
}

std::string compare_table(const plugin::PluginFile& file) {
  const auto& table = *static_cast<const sdk::PluginTable*>(plugin::load(file.path).table);
  require(table.size >= 16 && table.component_count < 10'000 && table.components,
          "bcx_plugin_entry() returned a table that is none", "use BCX_PLUGIN(...)");
  std::set<std::string> offered;
  for (std::uint32_t i = 0; i < table.component_count; ++i) {
    require(table.components[i].name, "BCX_PLUGIN(...) has a component without a name");
    const std::string name = table.components[i].name;
    require(offered.insert(name).second, fmt::format("BCX_PLUGIN(...) names \"{}\" twice", name));
  }
  for (const auto& component : file.manifest.components) {
    const auto& entry = entry_of(component);  // throws when it is not there
    offered.erase(component.name);
    require(
        has_factory(entry, component.kind) && factories(entry) == 1,
        fmt::format("the factory of \"{}\" makes no {}", component.name, name_of(component.kind)),
        fmt::format("write bcx::sdk::{}<Class>(\"{}\")", name_of(component.kind), component.name));
  }
  require(offered.empty(),
          fmt::format("BCX_PLUGIN(...) names \"{}\", plugin.toml does not",
                      offered.empty() ? "" : printable(*offered.begin())),
          "declare it as a [[component]]");
  const auto count = file.manifest.components.size();
  return count == 1 ? "the one component of plugin.toml, with its factory"
                    : fmt::format("the {} components of plugin.toml, each with its factory", count);
}

/// What a manifest may lawfully leave out and its readers miss.
void check_manifest(const plugin::Manifest& manifest, const Report& report) {
  std::size_t parameters = 0;
  bool fine = true;
  const auto object = [&](const config::ComponentSpec& component, std::string what,
                          std::string remedy) {
    fine = false;
    report(failed("manifest", "reading", fmt::format("component \"{}\": {}", component.name, what),
                  std::move(remedy)));
  };
  for (const auto& component : manifest.components) {
    parameters += component.params.size();
    for (const auto& param : component.params)
      if (param.doc.empty())
        object(component, fmt::format("parameter \"{}\" has no doc", param.name),
               "say in a sentence what it does");
    for (const auto& name : component.facts.weights)
      if (name != "imagenet" && !weights::find_weights(name))
        object(component, fmt::format("no published weights are called \"{}\"", printable(name)),
               "`bcx weights list` shows what there is");
    if (!component.facts.weights.empty() && !weights::find_weights(component.name))
      object(component, "says that it has published weights, which bcx does not know",
             "leave out facts.weights");
  }
  if (fine)
    report(passed(
        "manifest", "reading",
        fmt::format("{} {}, {} {}, every default within its range", manifest.components.size(),
                    manifest.components.size() == 1 ? "component" : "components", parameters,
                    parameters == 1 ? "parameter" : "parameters")));
}

}  // namespace

std::optional<plugin::PluginFile> check_file(const std::filesystem::path& file,
                                             const Options& options, const Report& report) {
  if (!check_place(file, report)) return std::nullopt;
  auto found = check_sections(file, report);
  if (!found) return std::nullopt;
  check_exports(plugin::ElfFile(file), report);
  const auto runs = [&](const char* name, const Body& body) {
    return report(in_child("file", name, options.time_limit, body));
  };
  const bool fits = runs("loading", [&] { return load_in_time(found->path); }) &&
                    runs("table", [&] { return compare_table(*found); });
  check_manifest(found->manifest, report);
  return fits ? std::move(found) : std::nullopt;
}

}  // namespace bcx::check
