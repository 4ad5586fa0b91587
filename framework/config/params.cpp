#include "config/params.h"

#include <fmt/format.h>

#include "base/text.h"

namespace bcx::config {
namespace {

std::string to_toml(bool value) {
  return value ? "true" : "false";
}
std::string to_toml(std::int64_t value) {
  return std::to_string(value);
}
std::string to_toml(double value) {
  return shortest(value);
}

/// A basic string: quotes, backslashes and control characters escaped, the rest as it is.
std::string to_toml(const std::string& value) {
  std::string out = "\"";
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (byte < 0x20 || byte == 0x7F) {
      out += fmt::format("\\u{:04X}", byte);
    } else {
      out += c;
    }
  }
  return out + '"';
}

template <typename T>
std::string to_toml(const std::vector<T>& values) {
  std::string out = "[";
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i > 0) out += ", ";
    out += to_toml(static_cast<T>(values[i]));
  }
  return out + "]";
}

}  // namespace

std::string to_toml(const Value& value) {
  return std::visit([](const auto& held) { return to_toml(held); }, value);
}

std::string Origin::text() const {
  switch (kind) {
    case Kind::file:
      return line > 0 ? fmt::format("{}:{}:{}", printable(file), line, column) : printable(file);
    case Kind::command_line:
    case Kind::environment:
      return printable(detail);
    case Kind::schema_default:
      return "default";
    case Kind::manifest_default:
      return "plugin manifest";
  }
  return {};
}

std::string_view name_of(Type type) {
  static constexpr std::string_view names[] = {
      "bool",         "int",         "float",         "string",         "path",
      "list of bool", "list of int", "list of float", "list of string", "list of path"};
  return names[static_cast<std::size_t>(type)];
}

std::string_view name_of(ComponentKind kind) {
  static constexpr std::string_view names[] = {"backbone", "augmentation", "optimizer", "callback",
                                               "preprocess"};
  return names[static_cast<std::size_t>(kind)];
}

}  // namespace bcx::config
