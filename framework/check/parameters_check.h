// Every bound and choice of a component's parameters, whatever its kind.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <stdexcept>

#include "base/error.h"
#include "base/text.h"
#include "check/subject.h"

namespace bcx::check {

/// Calls `use(object, variation)` for an object of each variation that the plugin accepts, and says
/// with which values something went wrong. A factory that throws std::invalid_argument refuses
/// values that do not go together, unless they are the defaults. Gives the first refusal's words,
/// or "".
template <typename T, typename Use>
std::string for_each_variation(const config::ComponentSpec& spec, std::set<std::string>& unread,
                               Use&& use) {
  std::string refusal;
  for (const auto& variation : variations(spec)) {
    const sdk::Params params(variation.values);
    const std::string with =
        variation.what.empty() ? "with its defaults: " : "with " + variation.what + ": ";
    try {
      const auto object = make<T>(entry_of(spec), params);
      require(object != nullptr, "the factory returned nothing");
      use(*object);
    } catch (const Error& error) {
      throw Error(ExitCode::plugin, {with + error.parts().what, {}, error.parts().remedy});
    } catch (const std::invalid_argument& error) {
      if (variation.what.empty()) throw Error(ExitCode::plugin, with + error.what());
      if (refusal.empty()) refusal = variation.what + ": " + error.what();
    } catch (const std::exception& error) {
      throw Error(ExitCode::plugin, with + split(error.what(), '\n').front());
    }
    const auto missed = params.unread();
    std::erase_if(unread, [&](const std::string& name) {
      return std::find(missed.begin(), missed.end(), name) == missed.end();
    });
  }
  return refusal;
}

/// The check "parameters".
template <typename T, typename Use>
std::string check_parameters(const config::ComponentSpec& spec, Use&& use) {
  std::set<std::string> unread;
  for (const auto& param : spec.params) unread.insert(param.name);
  const std::string refusal = for_each_variation<T>(spec, unread, use);
  require(unread.empty(),
          fmt::format("parameter \"{}\" is declared and never read",
                      unread.empty() ? "" : *unread.begin()),
          "read it in the constructor, or take it out of plugin.toml");
  if (spec.params.empty()) return "none";
  const auto count = variations(spec).size() - 1;
  if (count == 0) return "built and used with the defaults";
  return fmt::format("built and used with the defaults and {} {}{}", count,
                     count == 1 ? "bound or choice" : "bounds and choices",
                     refusal.empty() ? "" : "; refused: " + refusal);
}

/// Runs `use` for each variation that the plugin accepts.
template <typename T, typename Use>
void for_each_variation(const config::ComponentSpec& spec, Use&& use) {
  std::set<std::string> ignored;
  for_each_variation<T>(spec, ignored, std::forward<Use>(use));
}

}  // namespace bcx::check
