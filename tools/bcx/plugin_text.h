// How `bcx plugins` tells what a component is.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "base/table.h"
#include "config/params.h"
#include "plugin/catalog.h"

namespace bcx::cli {

using Components = std::vector<const config::ComponentSpec*>;

/// One row a component; the numbers of backbones only where there are any.
Table list_table(const Components& components);

/// `{"components": [...], "not_used": [{"file", "reason"}]}`.
nlohmann::ordered_json list_json(const plugin::PluginCatalog& catalog,
                                 const Components& components);

/// Everything known of a component: where it comes from, its facts, a table of its parameters.
std::string description(const config::ComponentSpec& component, const plugin::PluginFile& file,
                        int width);

/// The component as lines of an experiment file, every parameter at its default. Required ones are
/// comments: the file's author fills them in.
std::string snippet(const config::ComponentSpec& component);

}  // namespace bcx::cli
