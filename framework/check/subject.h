// What is being checked: one component of one plugin file, and how to make objects of it.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <type_traits>
#include <vector>

#include "bcx/sdk/plugin.h"
#include "config/params.h"

namespace bcx::check {

using Values = std::map<std::string, sdk::Value, std::less<>>;

/// A component's parameters with one of them at a bound or a choice.
struct Variation {
  std::string what;  ///< `drop_rate = 1.0`; empty: the defaults
  Values values;
};

/// The defaults first, then each parameter at each of its bounds and choices while the others keep
/// their defaults, as far as the host would accept that (`at_most`). A required one is given the
/// first of: its first choice, its minimum, its maximum, 1, a word. An exclusive bound is
/// approached to a thousandth of the range.
std::vector<Variation> variations(const config::ComponentSpec& spec);

/// Names of required parameters of type path: nobody but the author knows a value for those.
std::vector<std::string> required_paths(const config::ComponentSpec& spec);

/// The component's entry in the plugin's table, which is loaded into this process if it was not.
/// Throws bcx::Error (plugin).
const sdk::ComponentEntry& entry_of(const config::ComponentSpec& spec);

/// Calls the factory of an entry that makes a T, one of the four interfaces.
template <typename T>
auto make(const sdk::ComponentEntry& entry, const sdk::Params& params) {
  if constexpr (std::is_same_v<T, sdk::Backbone>)
    return entry.backbone(params);
  else if constexpr (std::is_same_v<T, sdk::Augmentation>)
    return entry.augmentation(params);
  else if constexpr (std::is_same_v<T, sdk::Optimizer>)
    return entry.optimizer(params);
  else
    return entry.callback(params);
}

/// An object of the component, with these values or its defaults.
template <typename T>
auto build(const config::ComponentSpec& spec, const Values& values) {
  return make<T>(entry_of(spec), sdk::Params(values));
}
template <typename T>
auto build(const config::ComponentSpec& spec) {
  return build<T>(spec, variations(spec).front().values);
}

/// Throws bcx::Error (plugin) when `holds` is false.
void require(bool holds, const std::string& what, const std::string& remedy = {});

}  // namespace bcx::check
