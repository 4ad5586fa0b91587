#include "check/subject.h"

#include <fmt/format.h>

#include <cmath>

#include "base/error.h"
#include "plugin/loader.h"

namespace bcx::check {
namespace {

using config::ParamSpec;
using config::Type;

bool is_list(Type type) {
  return type == Type::booleans || type == Type::integers || type == Type::reals ||
         type == Type::strings || type == Type::paths;
}

bool is_path(Type type) {
  return type == Type::path || type == Type::paths;
}

sdk::Value number(Type type, double value) {
  switch (type) {
    case Type::integer:
      return static_cast<std::int64_t>(value);
    case Type::integers:
      return std::vector<std::int64_t>{static_cast<std::int64_t>(value)};
    case Type::reals:
      return std::vector<double>{value};
    default:
      return value;
  }
}

bool is_number(Type type) {
  return type == Type::integer || type == Type::real || type == Type::integers ||
         type == Type::reals;
}

// The nearest allowed value to a bound.
double at_bound(const ParamSpec& param, double bound, bool exclusive, int inwards) {
  if (!exclusive) return bound;
  if (param.type == Type::integer || param.type == Type::integers) return bound + inwards;
  const double range = param.minimum && param.maximum ? *param.maximum - *param.minimum : 1.0;
  return bound + inwards * range * 1e-3;
}

std::vector<sdk::Value> bounds(const ParamSpec& param) {
  std::vector<sdk::Value> values;
  if (!is_number(param.type)) return values;
  if (param.minimum)
    values.push_back(
        number(param.type, at_bound(param, *param.minimum, param.exclusive_minimum, 1)));
  if (param.maximum)
    values.push_back(
        number(param.type, at_bound(param, *param.maximum, param.exclusive_maximum, -1)));
  return values;
}

// A list's choices are its elements.
sdk::Value as_given(const ParamSpec& param, const sdk::Value& choice) {
  if (!is_list(param.type)) return choice;
  return std::visit(
      [&](const auto& held) -> sdk::Value {
        using T = std::decay_t<decltype(held)>;
        if constexpr (std::is_constructible_v<sdk::Value, std::vector<T>>)
          return std::vector<T>{held};
        else
          return choice;
      },
      choice);
}

std::vector<sdk::Value> worth_trying(const ParamSpec& param) {
  std::vector<sdk::Value> values;
  for (const auto& choice : param.choices) values.push_back(as_given(param, choice));
  if (param.type == Type::boolean) values = {false, true};
  for (auto& bound : bounds(param)) values.push_back(std::move(bound));
  return values;
}

sdk::Value usual(const ParamSpec& param) {
  if (param.default_value) return *param.default_value;
  if (auto values = worth_trying(param); !values.empty()) return values.front();
  if (is_number(param.type)) return number(param.type, 1.0);
  if (param.type == Type::booleans) return std::vector<bool>{true};
  if (is_list(param.type)) return std::vector<std::string>{"value"};
  return std::string("value");
}

double as_number(const sdk::Value& value) {
  if (const auto* real = std::get_if<double>(&value)) return *real;
  return static_cast<double>(std::get<std::int64_t>(value));
}

// What the host would refuse: a parameter above the one that its manifest says it may not exceed.
bool in_order(const config::ComponentSpec& spec, const Values& values) {
  for (const auto& param : spec.params)
    if (!param.at_most.empty() &&
        as_number(values.at(param.name)) > as_number(values.at(param.at_most)))
      return false;
  return true;
}

}  // namespace

std::vector<Variation> variations(const config::ComponentSpec& spec) {
  Variation first;
  for (const auto& param : spec.params) first.values.emplace(param.name, usual(param));
  std::vector<Variation> all{first};
  for (const auto& param : spec.params)
    for (const auto& value : worth_trying(param)) {
      if (value == first.values.at(param.name)) continue;
      all.push_back({fmt::format("{} = {}", param.name, config::to_toml(value)), first.values});
      all.back().values[param.name] = value;
      if (!in_order(spec, all.back().values)) all.pop_back();
    }
  return all;
}

std::vector<std::string> required_paths(const config::ComponentSpec& spec) {
  std::vector<std::string> names;
  for (const auto& param : spec.params)
    if (!param.default_value && is_path(param.type)) names.push_back(param.name);
  return names;
}

const sdk::ComponentEntry& entry_of(const config::ComponentSpec& spec) {
  const auto& table = *static_cast<const sdk::PluginTable*>(plugin::load(spec).table);
  for (std::uint32_t i = 0; i < table.component_count; ++i)
    if (spec.name == table.components[i].name) return table.components[i];
  throw Error(ExitCode::plugin, fmt::format("BCX_PLUGIN(...) does not name \"{}\"", spec.name));
}

void require(bool holds, const std::string& what, const std::string& remedy) {
  if (!holds) throw Error(ExitCode::plugin, {what, {}, remedy});
}

}  // namespace bcx::check
