#include "engine/components.h"

#include <fmt/format.h>
#include <torch/utils.h>

#include <mutex>

#include "base/error.h"
#include "base/hash.h"
#include "bcx/sdk/augmentation.h"
#include "bcx/sdk/callback.h"
#include "bcx/sdk/nn.h"
#include "bcx/sdk/plugin.h"
#include "plugin/loader.h"

namespace bcx::engine {
namespace {

sdk::Params params_of(const config::Component& component) {
  // The alternatives of both variants are the same types in the same order.
  static_assert(std::is_same_v<config::Value, sdk::Value>);
  return sdk::Params(component.params);
}

const config::ComponentSpec& spec_of(const config::Component& component,
                                     const plugin::PluginCatalog& catalog) {
  const auto* spec = catalog.find(component.kind, component.name);
  if (!spec)
    throw Error(ExitCode::plugin, fmt::format("no plugin offers {} \"{}\"",
                                              config::name_of(component.kind), component.name));
  return *spec;
}

const sdk::ComponentEntry& entry_of(const config::ComponentSpec& spec) {
  const auto& table = *static_cast<const sdk::PluginTable*>(plugin::load(spec).table);
  for (std::uint32_t i = 0; i < table.component_count; ++i)
    if (spec.name == table.components[i].name) return table.components[i];
  throw Error(ExitCode::plugin,
              {fmt::format("its manifest offers \"{}\", its table does not", spec.name), spec.file,
               "name it in BCX_PLUGIN(...)"});
}

/// Calls the factory that `member` points to.
template <typename Member>
auto build(const config::Component& component, const plugin::PluginCatalog& catalog,
           Member member) {
  const auto& spec = spec_of(component, catalog);
  const auto factory = entry_of(spec).*member;
  if (!factory)
    throw Error(ExitCode::plugin,
                {fmt::format("\"{}\" is no {} in its table", spec.name, config::name_of(spec.kind)),
                 spec.file, "its kind in plugin.toml must fit its factory"});
  plugin::CallSite site(spec);
  auto object = site("building it", [&] {
    auto made = factory(params_of(component));
    if (!made) throw std::runtime_error("the factory returned nothing");
    return made;
  });
  return Built<decltype(object)>{std::move(object), std::move(site)};
}

}  // namespace

Built<std::shared_ptr<sdk::Backbone>> build_backbone(const config::Component& component,
                                                     const plugin::PluginCatalog& catalog) {
  return build(component, catalog, &sdk::ComponentEntry::backbone);
}

Built<std::unique_ptr<sdk::Optimizer>> build_optimizer(const config::Component& component,
                                                       const plugin::PluginCatalog& catalog) {
  return build(component, catalog, &sdk::ComponentEntry::optimizer);
}

Built<std::unique_ptr<sdk::Preprocess>> build_preprocess(const config::Component& component,
                                                         const plugin::PluginCatalog& catalog) {
  return build(component, catalog, &sdk::ComponentEntry::preprocess);
}

std::vector<train::NamedAugmentation> build_augmentations(
    const std::vector<config::Component>& components, const plugin::PluginCatalog& catalog) {
  std::vector<train::NamedAugmentation> result;
  for (const auto& component : components) {
    auto built = build(component, catalog, &sdk::ComponentEntry::augmentation);
    result.push_back({component.instance, std::move(built.object), std::move(built.site)});
  }
  return result;
}

std::vector<train::NamedCallback> build_callbacks(const std::vector<config::Component>& components,
                                                  const plugin::PluginCatalog& catalog) {
  std::vector<train::NamedCallback> result;
  for (const auto& component : components) {
    auto built = build(component, catalog, &sdk::ComponentEntry::callback);
    result.push_back({component.instance, std::move(built.object), std::move(built.site)});
  }
  return result;
}

Built<std::shared_ptr<model::Classifier>> build_classifier(const config::Experiment& experiment,
                                                           const plugin::PluginCatalog& catalog,
                                                           std::int64_t classes) {
  // Layers initialise from LibTorch's default generator, which is the process's: one model at a
  // time.
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  torch::manual_seed(stable_hash(fmt::format("{}/initialise", experiment.seed)));
  auto backbone = build_backbone(experiment.model.backbone, catalog);
  const auto smallest = backbone.object->smallest_size();
  if (experiment.data.image_size < smallest)
    throw Error(ExitCode::usage,
                {fmt::format("{} takes images of at least {} pixels, data.image_size is {}",
                             experiment.model.backbone.name, smallest, experiment.data.image_size),
                 "data.image_size", ""});
  if (experiment.model.head.kind == "published" && classes != sdk::kImageNetClasses)
    throw Error(ExitCode::usage, {fmt::format("the published classifier knows ImageNet's 1,000 "
                                              "classes, the data have {}",
                                              classes),
                                  "model.head.kind", "use \"new\""});
  auto classifier =
      std::make_shared<model::Classifier>(backbone.object, experiment.model.head, classes);
  return {std::move(classifier), std::move(backbone.site)};
}

}  // namespace bcx::engine
