#include "tools/docs/source_catalog.h"

#include "base/paths.h"
#include "plugin/manifest.h"

namespace bcx::docs {

namespace fs = std::filesystem;

SourceCatalog::SourceCatalog(const fs::path& root) {
  for (const auto& family : fs::directory_iterator(root / "plugins")) {
    if (!family.is_directory()) continue;
    for (const auto& folder : fs::directory_iterator(family)) {
      const fs::path file = folder.path() / "plugin.toml";
      if (!fs::exists(file)) continue;
      const std::string text = read_text(file, plugin::manifest_limit, ExitCode::plugin);
      for (auto& component : plugin::parse_manifest(text, file.string()).components)
        components_[component.kind].emplace(component.name, component);
    }
  }
}

const config::ComponentSpec* SourceCatalog::find(config::ComponentKind kind,
                                                 std::string_view name) const {
  const auto of_kind = components_.find(kind);
  if (of_kind == components_.end()) return nullptr;
  const auto found = of_kind->second.find(name);
  return found == of_kind->second.end() ? nullptr : &found->second;
}

std::vector<std::string> SourceCatalog::names(config::ComponentKind kind) const {
  std::vector<std::string> out;
  if (const auto of_kind = components_.find(kind); of_kind != components_.end())
    for (const auto& [name, component] : of_kind->second) out.push_back(name);
  return out;
}

}  // namespace bcx::docs
