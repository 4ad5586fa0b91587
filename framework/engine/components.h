// From the experiment's components to objects of the plugins.
#pragma once

#include <memory>
#include <vector>

#include "bcx/sdk/backbone.h"
#include "bcx/sdk/optimizer.h"
#include "bcx/sdk/preprocess.h"
#include "config/experiment.h"
#include "model/classifier.h"
#include "plugin/call_site.h"
#include "plugin/catalog.h"
#include "train/input.h"
#include "train/loop.h"

namespace bcx::engine {

template <typename T>
struct Built {
  T object;
  plugin::CallSite site;
};

/// Each loads the plugin file if that has not happened yet and calls the component's factory with
/// the experiment's parameters. What it throws comes out as bcx::Error (plugin) with the
/// component's name.
Built<std::shared_ptr<sdk::Backbone>> build_backbone(const config::Component& component,
                                                     const plugin::PluginCatalog& catalog);
Built<std::unique_ptr<sdk::Optimizer>> build_optimizer(const config::Component& component,
                                                       const plugin::PluginCatalog& catalog);
Built<std::unique_ptr<sdk::Preprocess>> build_preprocess(const config::Component& component,
                                                         const plugin::PluginCatalog& catalog);
std::vector<train::NamedAugmentation> build_augmentations(
    const std::vector<config::Component>& components, const plugin::PluginCatalog& catalog);
std::vector<train::NamedCallback> build_callbacks(const std::vector<config::Component>& components,
                                                  const plugin::PluginCatalog& catalog);

/// Backbone and head, initialised from `seed`, weights not yet loaded.
Built<std::shared_ptr<model::Classifier>> build_classifier(const config::Experiment& experiment,
                                                           const plugin::PluginCatalog& catalog,
                                                           std::int64_t classes);

}  // namespace bcx::engine
