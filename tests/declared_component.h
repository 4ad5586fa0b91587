// Components of this build with the defaults of their manifests: what the host hands to a factory.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>

#include "bcx/sdk/callback.h"
#include "tests/plugin_entry.h"
#include "tools/docs/source_catalog.h"

namespace bcx::test {

inline const docs::SourceCatalog& source_catalog() {
  static const docs::SourceCatalog catalog(source_dir());
  return catalog;
}

inline const config::ComponentSpec& declared(config::ComponentKind kind, std::string_view name) {
  const auto* spec = source_catalog().find(kind, name);
  if (!spec) throw std::runtime_error("no manifest declares " + std::string(name));
  return *spec;
}

/// The defaults with some of them replaced; a required one must be given.
inline sdk::Params declared_params(const config::ComponentSpec& spec, const Values& given = {}) {
  Values values;
  for (const auto& param : spec.params)
    if (param.default_value) values[param.name] = *param.default_value;
  for (const auto& [name, value] : given) values.insert_or_assign(name, value);
  return sdk::Params(std::move(values));
}

inline std::unique_ptr<sdk::Callback> make_callback(const std::string& name,
                                                    const Values& given = {}) {
  const auto& spec = declared(config::ComponentKind::callback, name);
  return component(spec.plugin, name).callback(declared_params(spec, given));
}

}  // namespace bcx::test
