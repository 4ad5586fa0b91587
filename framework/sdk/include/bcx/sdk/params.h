// The parameters that an experiment gives a component, as its manifest (plugin.toml) declares them.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

namespace bcx::sdk {

/// A parameter's value. A manifest's `path` is a string here, already absolute.
using Value = std::variant<bool, std::int64_t, double, std::string, std::vector<bool>,
                           std::vector<std::int64_t>, std::vector<double>, std::vector<std::string>>;

/// Validated and complete: the host has checked types and ranges and filled in the manifest's
/// defaults, so that plugin code never repeats one.
///
///     const double rate = params.get<double>("drop_rate");
///
/// get() throws std::logic_error for a name that the manifest does not declare, or for another
/// type than the declared one: both are mistakes of the plugin's author, which `bcx plugins check`
/// finds. Reading from one thread at a time.
class Params {
 public:
  Params() = default;
  explicit Params(std::map<std::string, Value, std::less<>> values) : values_(std::move(values)) {}

  /// T is one of: bool, std::int64_t (or int), double, std::string, or a vector of those (not int).
  template <typename T>
  T get(std::string_view name) const {
    using Stored = std::conditional_t<std::is_same_v<T, int>, std::int64_t, T>;
    const auto found = values_.find(name);
    if (found == values_.end())
      throw std::logic_error("parameter \"" + std::string(name) + "\" is not declared in plugin.toml");
    read_.insert(found->first);
    if (const auto* value = std::get_if<Stored>(&found->second)) return static_cast<T>(*value);
    throw std::logic_error("parameter \"" + std::string(name) +
                           "\" is read as another type than plugin.toml declares");
  }

  const std::map<std::string, Value, std::less<>>& values() const { return values_; }

  /// Names that were never asked for: a declared parameter that is never read is a finding.
  std::vector<std::string> unread() const {
    std::vector<std::string> names;
    for (const auto& [name, value] : values_)
      if (!read_.contains(name)) names.push_back(name);
    return names;
  }

 private:
  std::map<std::string, Value, std::less<>> values_;
  mutable std::set<std::string, std::less<>> read_;
};

}  // namespace bcx::sdk
