// A component's factory straight out of a built plugin file, for tests of the component itself: no
// discovery, no manifest; the test says every parameter.
#pragma once

#include <dlfcn.h>

#include <stdexcept>
#include <string>
#include <string_view>

#include "bcx/sdk/plugin.h"
#include "tests/catch.h"

namespace bcx::test {

/// The entry of `component` in lib/bcx/plugins/`plugin`.bcx.so of this build. The file stays
/// loaded.
inline const sdk::ComponentEntry& component(const std::string& plugin, std::string_view component) {
  const auto file = build_dir() / "lib/bcx/plugins" / (plugin + ".bcx.so");
  void* handle = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!handle) throw std::runtime_error(dlerror());
  const auto entry =
      reinterpret_cast<const sdk::PluginTable* (*)()>(dlsym(handle, "bcx_plugin_entry"));
  if (!entry) throw std::runtime_error(dlerror());
  const auto* table = entry();
  for (std::uint32_t i = 0; i < table->component_count; ++i)
    if (table->components[i].name == component) return table->components[i];
  throw std::runtime_error(file.string() + " has no " + std::string(component));
}

using Values = std::map<std::string, sdk::Value, std::less<>>;

/// `defaults` with some of them replaced: what the host would hand to the factory.
inline sdk::Params params(Values defaults, const Values& given = {}) {
  for (const auto& [name, value] : given) defaults.at(name) = value;
  return sdk::Params(std::move(defaults));
}

}  // namespace bcx::test
