// How sections of the schema are written down: one readable line per key. Internal to the schema.
#pragma once

#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "config/schema.h"

namespace bcx::config {

/// Builds one ParamSpec: `Key("epochs", Type::integer, "…").with(20).at_least(1)`.
class Key {
 public:
  Key(std::string name, Type type, std::string doc) {
    spec_.name = std::move(name);
    spec_.type = type;
    spec_.doc = std::move(doc);
  }
  Key with(bool value) && { return std::move(*this).value(value); }
  Key with(int value) && { return std::move(*this).value(std::int64_t{value}); }
  Key with(double value) && { return std::move(*this).value(value); }
  Key with(const char* value) && { return std::move(*this).value(std::string(value)); }
  Key empty() && {
    if (spec_.type == Type::integers) return std::move(*this).value(std::vector<std::int64_t>{});
    return std::move(*this).value(std::vector<std::string>{});
  }
  Key at_least(double bound) && {
    spec_.minimum = bound;
    return std::move(*this);
  }
  Key above(double bound) && {
    spec_.exclusive_minimum = true;
    return std::move(*this).at_least(bound);
  }
  Key at_most(double bound) && {
    spec_.maximum = bound;
    return std::move(*this);
  }
  Key below(double bound) && {
    spec_.exclusive_maximum = true;
    return std::move(*this).at_most(bound);
  }
  Key one_of(std::initializer_list<const char*> words) && {
    for (const char* word : words) spec_.choices.emplace_back(std::string(word));
    return std::move(*this);
  }
  Key one_of_numbers(std::initializer_list<std::int64_t> numbers) && {
    for (const std::int64_t number : numbers) spec_.choices.emplace_back(number);
    return std::move(*this);
  }
  Key in(const char* unit) && {
    spec_.unit = unit;
    return std::move(*this);
  }
  operator ParamSpec() && { return std::move(spec_); }

 private:
  Key value(Value value) && {
    spec_.default_value = std::move(value);
    return std::move(*this);
  }
  ParamSpec spec_;
};

/// A section that holds components of one kind, each in a `[[name]]` of its own.
Section component_list(ComponentKind kind, std::string doc);

/// The schema in three parts, in its order.
std::vector<Section> data_sections();
std::vector<Section> model_sections();
std::vector<Section> train_sections();

}  // namespace bcx::config
