// The experiment file's own keys: the single source of their types, ranges, defaults and
// documentation. Components add theirs from the plugins' manifests.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/params.h"

namespace bcx::config {

/// One table of the experiment file.
struct Section {
  std::string name;  ///< dotted: "data.split"
  std::string doc;
  std::vector<ParamSpec> params;
  bool repeated = false;  ///< written `[[name]]`
  /// Where components of this kind are named, by the key `name` (`backbone` in [model]).
  std::optional<ComponentKind> component;
};

/// Every section, in the order in which files are written and values are resolved.
const std::vector<Section>& schema();

/// nullptr when there is no section of that name.
const Section* find_section(std::string_view name);

/// nullptr when the section has no such key of its own.
const ParamSpec* find_param(const Section& section, std::string_view key);

}  // namespace bcx::config
