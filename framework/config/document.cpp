#include "config/document.h"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>
#include <stdexcept>

#include "base/error.h"
#include "base/paths.h"
#include "base/text.h"
#include "config/document_guard.h"

// toml++ states what it assumes of its input as assertions. Without them (NDEBUG) they are promises
// to the compiler, which hostile text breaks: `[.a]` is undefined behaviour in 3.3 and 3.4.
namespace bcx::config {
[[noreturn]] static void refuse_assumption(const char* what) {
  throw std::logic_error(what);
}
}  // namespace bcx::config
#undef NDEBUG
#define TOML_ASSERT(condition) ((condition) ? void() : bcx::config::refuse_assumption(#condition))
#define TOML_HEADER_ONLY 1
#include <toml++/toml.h>

namespace bcx::config {
namespace {

Origin origin_of(const toml::source_region& region, const std::string& name) {
  Origin origin;
  origin.kind = Origin::Kind::file;
  origin.file = name;
  origin.line = static_cast<int>(region.begin.line);
  origin.column = static_cast<int>(region.begin.column);
  return origin;
}

template <typename T>
std::string text_of(const T& date_or_time) {
  std::ostringstream out;
  out << date_or_time;
  return out.str();
}

Node convert(const toml::node& from, const std::string& name);

void convert_table(const toml::table& from, const std::string& name, Node& to) {
  to.kind = Node::Kind::table;
  for (const auto& [key, value] : from)
    to.entries.push_back(
        {std::string(key.str()), origin_of(key.source(), name), convert(value, name)});
  // toml++ sorts by name; people think in the order in which they wrote.
  std::stable_sort(to.entries.begin(), to.entries.end(), [](const auto& a, const auto& b) {
    return std::pair(a.origin.line, a.origin.column) < std::pair(b.origin.line, b.origin.column);
  });
}

void convert_date(const toml::node& from, Node& to) {
  to.kind = Node::Kind::date;
  if (const auto* date = from.as_date()) to.text = text_of(date->get());
  if (const auto* time = from.as_time()) to.text = text_of(time->get());
  if (const auto* both = from.as_date_time()) to.text = text_of(both->get());
}

Node convert(const toml::node& from, const std::string& name) {
  Node to;
  to.origin = origin_of(from.source(), name);
  if (const auto* table = from.as_table()) {
    convert_table(*table, name, to);
  } else if (const auto* array = from.as_array()) {
    to.kind = Node::Kind::list;
    for (const auto& item : *array) to.items.push_back(convert(item, name));
  } else if (const auto* boolean = from.as_boolean()) {
    to.kind = Node::Kind::boolean;
    to.boolean = boolean->get();
  } else if (const auto* integer = from.as_integer()) {
    to.kind = Node::Kind::integer;
    to.integer = integer->get();
  } else if (const auto* real = from.as_floating_point()) {
    to.kind = Node::Kind::real;
    to.real = real->get();
  } else if (const auto* string = from.as_string()) {
    to.kind = Node::Kind::string;
    to.text = string->get();
  } else {
    convert_date(from, to);
  }
  return to;
}

}  // namespace

Node parse_document(std::string_view text, const std::string& name, const DocumentLimits& limits) {
  guard_document(text, name, limits);
  try {
    const toml::table table = toml::parse(text);
    return convert(table, name);
  } catch (const toml::parse_error& error) {
    throw Error(ExitCode::usage, {"not TOML: " + printable(error.description()),
                                  origin_of(error.source(), name).text(), ""});
  } catch (const std::logic_error&) {
    throw Error(ExitCode::usage, {"not TOML", printable(name), ""});
  }
}

Node read_document(const std::filesystem::path& path, const DocumentLimits& limits) {
  return parse_document(read_text(path, limits.bytes, ExitCode::usage), path.string(), limits);
}

}  // namespace bcx::config
