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
  /// The parameters of a component of this kind are keys here too. The component is named by the
  /// key `name` beside them; for [model.options] by `backbone` in [model].
  std::optional<ComponentKind> component = std::nullopt;
};

/// Every section, in the order in which files are written and values are resolved.
const std::vector<Section>& schema();

/// nullptr when there is no section of that name.
const Section* find_section(std::string_view name);

/// nullptr when the section has no such key of its own.
const ParamSpec* find_param(const Section& section, std::string_view key);

}  // namespace bcx::config
