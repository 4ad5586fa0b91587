// How manifest.cpp reads tables: declared keys, checked by the same rules as an experiment's
// values.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "config/document.h"
#include "config/params.h"

namespace bcx::plugin {

/// Mistakes of one manifest, reported together in the order of the file.
class Mistakes {
 public:
  void add(const config::Origin& place, std::string what, std::string remedy = {});
  /// Throws bcx::ErrorList (plugin) when there are any.
  void throw_if_any();

 private:
  struct Placed {
    int line, column;
    Error error;
  };
  std::vector<Placed> found_;
};

config::ParamSpec required_field(const char* name, config::Type type = config::Type::string);
config::ParamSpec optional_field(const char* name, config::Type type = config::Type::string);

/// One table's values of declared keys. Unknown keys (neither declared nor in `others`), missing
/// required ones and wrong values are mistakes; what is wrong reads as absent.
class Fields {
 public:
  Fields(const config::Node& table, std::string_view title,
         std::span<const config::ParamSpec> declared, std::vector<std::string> others,
         Mistakes& mistakes);

  const config::Value* value(std::string_view key) const;
  /// A string's text, empty when it is absent.
  std::string text(std::string_view key) const;
  /// A text that must be a name: [a-z][a-z0-9_]*, at most 64 characters.
  std::string name(std::string_view key, Mistakes& mistakes) const;

 private:
  const config::Node& table_;
  std::map<std::string, config::Value, std::less<>> values_;
};

/// The sub-table at `key`; nullptr when absent or, which is a mistake, no table.
const config::Node* table_at(const config::Node& table, std::string_view key, Mistakes& mistakes);
/// The tables of `[[key]]`; none when absent or, which is a mistake, something else.
std::span<const config::Node> tables_at(const config::Node& table, std::string_view key,
                                        Mistakes& mistakes);

/// One `[[component.param]]` of a component of that kind.
config::ParamSpec read_param(const config::Node& table, config::ComponentKind kind,
                             Mistakes& mistakes);

}  // namespace bcx::plugin
