// The table that a plugin file exports, and the macro that writes it.
//
//     #include <bcx/sdk/plugin.h>
//     BCX_PLUGIN(bcx::sdk::optimizer<Adam>("adam"), bcx::sdk::optimizer<AdamW>("adamw"))
//
// A component's class has a constructor that takes `const bcx::sdk::Params&`; a factory may also be
// written by hand as a captureless lambda: {.name = "densenet121", .backbone = [](const Params& p)
// {...}}.
#pragma once

#include <cstdint>
#include <memory>

#include "bcx/sdk/params.h"

namespace bcx::sdk {

class Augmentation;
class Backbone;
class Callback;
class Optimizer;
class Preprocess;

/// One component: its name in plugin.toml and exactly one factory, which the host calls with
/// validated parameters on one thread.
struct ComponentEntry {
  const char* name = nullptr;
  std::shared_ptr<Backbone> (*backbone)(const Params&) = nullptr;
  std::unique_ptr<Augmentation> (*augmentation)(const Params&) = nullptr;
  std::unique_ptr<Optimizer> (*optimizer)(const Params&) = nullptr;
  std::unique_ptr<Callback> (*callback)(const Params&) = nullptr;
  std::unique_ptr<Preprocess> (*preprocess)(const Params&) = nullptr;
};

/// What bcx_plugin_entry() returns; lives as long as the process. Members are only ever appended,
/// and `size` says how many of them this plugin knows.
struct PluginTable {
  std::uint32_t size = sizeof(PluginTable);
  std::uint32_t component_count = 0;
  const ComponentEntry* components = nullptr;
};

template <typename T>
constexpr ComponentEntry backbone(const char* name) {
  return {.name = name, .backbone = [](const Params& p) -> std::shared_ptr<Backbone> {
            return std::make_shared<T>(p);
          }};
}
/// Of a family: T's constructor takes one published network's layout and the parameters.
template <typename T, const auto& layout>
constexpr ComponentEntry backbone(const char* name) {
  return {.name = name, .backbone = [](const Params& p) -> std::shared_ptr<Backbone> {
            return std::make_shared<T>(layout, p);
          }};
}
template <typename T>
constexpr ComponentEntry augmentation(const char* name) {
  return {.name = name, .augmentation = [](const Params& p) -> std::unique_ptr<Augmentation> {
            return std::make_unique<T>(p);
          }};
}
template <typename T>
constexpr ComponentEntry optimizer(const char* name) {
  return {.name = name, .optimizer = [](const Params& p) -> std::unique_ptr<Optimizer> {
            return std::make_unique<T>(p);
          }};
}
template <typename T>
constexpr ComponentEntry callback(const char* name) {
  return {.name = name, .callback = [](const Params& p) -> std::unique_ptr<Callback> {
            return std::make_unique<T>(p);
          }};
}
template <typename T>
constexpr ComponentEntry preprocess(const char* name) {
  return {.name = name, .preprocess = [](const Params& p) -> std::unique_ptr<Preprocess> {
            return std::make_unique<T>(p);
          }};
}

}  // namespace bcx::sdk

/// Exports the plugin's one symbol. Use once per plugin file, at namespace scope.
#define BCX_PLUGIN(...)                                                                          \
  extern "C" __attribute__((visibility("default"))) const bcx::sdk::PluginTable*                 \
  bcx_plugin_entry() {                                                                           \
    static constexpr bcx::sdk::ComponentEntry components[] = {__VA_ARGS__};                      \
    static constexpr bcx::sdk::PluginTable table{                                                \
        .size = sizeof(bcx::sdk::PluginTable),                                                   \
        .component_count = static_cast<std::uint32_t>(sizeof(components) / sizeof(*components)), \
        .components = components};                                                               \
    return &table;                                                                               \
  }
