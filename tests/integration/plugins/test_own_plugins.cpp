// The plugins of this tree: fit for this bcx, and what their manifests say they are.

#include <set>

#include "bcx/sdk/plugin.h"
#include "check/factories.h"
#include "plugin/catalog.h"
#include "plugin/loader.h"
#include "tests/catch.h"

using namespace bcx;

namespace {

plugin::PluginCatalog own_plugins() {
  plugin::Search search;
  search.environment = search.user = false;
  search.built_in = test::build_dir() / "lib/bcx/plugins";
  return plugin::PluginCatalog(search);
}

/// A file's components need not be of its kind: some augmentations are preprocess components.
config::ComponentKind kind_of(const plugin::Manifest& manifest, std::string_view name) {
  for (const auto& component : manifest.components)
    if (component.name == name) return component.kind;
  return manifest.kind;
}

}  // namespace

TEST_CASE("every plugin of this tree is used") {
  const auto catalog = own_plugins();
  for (const auto& finding : catalog.findings()) {
    INFO(finding.path.string() << ": " << finding.reason);
    CHECK(false);
  }
  CHECK_FALSE(catalog.plugins().empty());
}

TEST_CASE("every plugin of this tree offers exactly what its manifest says") {
  const auto catalog = own_plugins();
  for (const auto& file : catalog.plugins()) {
    INFO(file.path.string());
    CHECK_FALSE(file.build_id.empty());
    const auto& table = *static_cast<const sdk::PluginTable*>(plugin::load(file.path).table);
    REQUIRE(table.size >= sizeof(sdk::PluginTable));
    std::set<std::string> offered, declared;
    for (std::uint32_t i = 0; i < table.component_count; ++i) {
      INFO(table.components[i].name);
      CHECK(check::has_factory(table.components[i], kind_of(file.manifest, table.components[i].name)));
      CHECK(offered.insert(table.components[i].name).second);
    }
    for (const auto& component : file.manifest.components) {
      declared.insert(component.name);
      for (const auto& param : component.params) {
        INFO(component.name << "." << param.name);
        CHECK_FALSE(param.doc.empty());
      }
    }
    CHECK(offered == declared);
  }
}
