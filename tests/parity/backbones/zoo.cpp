#include "zoo.h"

#include <ATen/CPUGeneratorImpl.h>

#include "bcx/sdk/plugin.h"
#include "plugin/catalog.h"
#include "plugin/loader.h"
#include "tests/catch.h"

namespace bcx::test {
namespace {

const plugin::PluginCatalog& catalog() {
  static const plugin::PluginCatalog found = [] {
    plugin::Search search;
    search.environment = search.user = false;
    search.built_in = build_dir() / "lib/bcx/plugins";
    return plugin::PluginCatalog(search);
  }();
  return found;
}

}  // namespace

std::vector<std::string> backbone_names() {
  return catalog().names(config::ComponentKind::backbone);
}

const config::ComponentSpec& backbone_spec(const std::string& name) {
  const auto* spec = catalog().find(config::ComponentKind::backbone, name);
  if (!spec) throw std::runtime_error("no plugin offers the backbone " + name);
  return *spec;
}

std::shared_ptr<sdk::Backbone> make_backbone(
    const std::string& name, const std::map<std::string, sdk::Value, std::less<>>& overrides) {
  const auto& spec = backbone_spec(name);
  auto values = overrides;
  for (const auto& param : spec.params) values.emplace(param.name, param.default_value.value());
  const sdk::Params params(values);
  const auto* table = static_cast<const sdk::PluginTable*>(plugin::load(spec).table);
  for (const auto& entry : std::span(table->components, table->component_count)) {
    if (entry.name != name) continue;
    auto backbone = entry.backbone(params);
    if (!params.unread().empty())
      throw std::runtime_error(name + " never reads " + params.unread().front());
    return backbone;
  }
  throw std::runtime_error(spec.file + " declares " + name + " but does not offer it");
}

std::map<std::string, sdk::Value, std::less<>> without_randomness(const std::string& name) {
  std::map<std::string, sdk::Value, std::less<>> overrides;
  for (const auto& param : backbone_spec(name).params)
    if (param.unit == "probability") overrides.emplace(param.name, 0.0);
  return overrides;
}

sdk::ModelContext make_context(std::uint64_t seed) {
  return {.generator = at::make_generator<at::CPUGeneratorImpl>(seed)};
}

std::vector<std::pair<std::string, at::Tensor>> state_of(const torch::nn::Module& module) {
  std::vector<std::pair<std::string, at::Tensor>> state;
  for (const auto& item : module.named_parameters()) state.emplace_back(item.key(), item.value());
  for (const auto& item : module.named_buffers()) state.emplace_back(item.key(), item.value());
  return state;
}

}  // namespace bcx::test
