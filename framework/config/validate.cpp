#include "config/validate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/text.h"

namespace bcx::config {
namespace {

bool is_list_type(Type type) {
  return type >= Type::booleans;
}

Type element_of(Type type) {
  return is_list_type(type)
             ? static_cast<Type>(static_cast<int>(type) - static_cast<int>(Type::booleans))
             : type;
}

bool is_text(Type type) {
  return type == Type::string || type == Type::path;
}

/// Whether the spec's choices are words that stand instead of a value, rather than all there is.
bool has_words(const ParamSpec& spec) {
  return !spec.choices.empty() && std::holds_alternative<std::string>(spec.choices.front()) &&
         element_of(spec.type) != Type::string;
}

std::string quoted(const Value& choice) {
  return std::holds_alternative<std::string>(choice)
             ? fmt::format("\"{}\"", printable(std::get<std::string>(choice)))
             : to_toml(choice);
}

std::string alternatives(std::vector<std::string> parts) {
  if (parts.empty()) return {};
  const std::string last = parts.back();
  parts.pop_back();
  return parts.empty() ? last : join(parts, ", ") + " or " + last;
}

std::string range_words(const ParamSpec& spec) {
  if (spec.minimum && spec.maximum && !spec.exclusive_minimum && !spec.exclusive_maximum)
    return fmt::format(" from {} to {}", *spec.minimum, *spec.maximum);
  std::string text;
  if (spec.minimum)
    text += fmt::format(" {} {}", spec.exclusive_minimum ? "above" : "of at least", *spec.minimum);
  if (spec.maximum)
    text += fmt::format("{}{} {}",
                        spec.minimum             ? " and "
                        : spec.exclusive_maximum ? " "
                                                 : " of ",
                        spec.exclusive_maximum ? "below" : "at most", *spec.maximum);
  return text;
}

std::string type_words(const ParamSpec& spec) {
  static constexpr std::string_view one[] = {"true or false", "an integer", "a number", "a string",
                                             "a path"};
  static constexpr std::string_view many[] = {"booleans", "integers", "numbers", "strings",
                                              "paths"};
  const auto at = static_cast<std::size_t>(element_of(spec.type));
  return is_list_type(spec.type) ? fmt::format("a list of {}", many[at]) : std::string(one[at]);
}

std::vector<std::string> choice_words(const ParamSpec& spec) {
  std::vector<std::string> parts;
  for (const auto& choice : spec.choices) parts.push_back(quoted(choice));
  return parts;
}

/// The number behind an integer or a real node.
std::optional<double> number_of(const Node& node) {
  if (node.kind == Node::Kind::integer) return static_cast<double>(node.integer);
  if (node.kind == Node::Kind::real) return node.real;
  return std::nullopt;
}

bool has_type(Type type, const Node& node) {
  switch (type) {
    case Type::boolean:
      return node.kind == Node::Kind::boolean;
    case Type::integer:
      return node.kind == Node::Kind::integer;
    case Type::real:
      return number_of(node).has_value();
    default:
      return node.kind == Node::Kind::string || !node.raw.empty();
  }
}

/// The string a node stands for: of --set, what was typed, so that `name=5` is the string "5".
const std::string& text_of(const Node& node) {
  return node.kind == Node::Kind::string ? node.text : node.raw;
}

std::string type_remedy(Type type, const Node& node) {
  if (is_text(type) && node.kind != Node::Kind::list && node.kind != Node::Kind::table)
    return fmt::format("write \"{}\", in quotes",
                       node.kind == Node::Kind::date ? node.text : describe(node));
  if (node.kind != Node::Kind::string || is_text(type)) return {};
  try {  // "32" where 32 was meant
    const Node inner = parse_document("v = " + node.text, "");
    if (inner.entries.size() == 1 && has_type(type, inner.entries[0].value))
      return fmt::format("write {}, without quotes", printable(node.text));
  } catch (const std::exception&) {
  }
  return {};
}

bool in_range(const ParamSpec& spec, double number) {
  if (spec.minimum && (spec.exclusive_minimum ? number <= *spec.minimum : number < *spec.minimum))
    return false;
  if (spec.maximum && (spec.exclusive_maximum ? number >= *spec.maximum : number > *spec.maximum))
    return false;
  return true;
}

bool equals(const Value& choice, Type type, const Node& node) {
  if (is_text(type))
    return std::holds_alternative<std::string>(choice) &&
           std::get<std::string>(choice) == text_of(node);
  if (type == Type::boolean)
    return std::holds_alternative<bool>(choice) && std::get<bool>(choice) == node.boolean;
  if (std::holds_alternative<std::int64_t>(choice))
    return static_cast<double>(std::get<std::int64_t>(choice)) == *number_of(node);
  return std::holds_alternative<double>(choice) && std::get<double>(choice) == *number_of(node);
}

std::string choice_remedy(const ParamSpec& spec, const Node& node) {
  if (node.kind != Node::Kind::string || node.text.size() > 100) return {};
  std::vector<std::string> words;
  for (const auto& choice : spec.choices)
    if (const auto* word = std::get_if<std::string>(&choice)) words.push_back(*word);
  return did_you_mean(node.text, words);
}

std::optional<Mistake> check_element(const ParamSpec& spec, const Node& node) {
  const Type type = element_of(spec.type);
  const auto expected = [&](std::string remedy = {}) {
    return Mistake{fmt::format("expected {}, got {}", expectation(spec), describe(node)),
                   std::move(remedy)};
  };
  if (!has_type(type, node)) {
    std::string remedy = has_words(spec) ? choice_remedy(spec, node) : std::string{};
    return expected(remedy.empty() ? type_remedy(type, node) : remedy);
  }
  if (is_text(type) && text_of(node).find('\0') != std::string::npos)
    return expected("it holds a NUL character");
  const auto number = type == Type::real || type == Type::integer ? number_of(node) : std::nullopt;
  if (number && !std::isfinite(*number))
    return Mistake{fmt::format("expected a finite number, got {}", describe(node)), {}};
  if (!spec.choices.empty() && !has_words(spec) &&
      std::none_of(spec.choices.begin(), spec.choices.end(),
                   [&](const Value& choice) { return equals(choice, type, node); }))
    return expected(choice_remedy(spec, node));
  if (number && !in_range(spec, *number)) return expected();
  return std::nullopt;
}

/// The typed value of nodes that were checked.
Value make_value(Type type, const Node& node) {
  const auto list = [&](auto element) {
    std::vector<decltype(element(node))> out;
    for (const auto& item : node.items) out.push_back(element(item));
    return out;
  };
  const auto boolean = [](const Node& n) { return n.boolean; };
  const auto integer = [](const Node& n) { return n.integer; };
  const auto real = [](const Node& n) { return *number_of(n); };
  const auto text = [](const Node& n) { return std::string(text_of(n)); };
  switch (type) {
    case Type::boolean:
      return boolean(node);
    case Type::integer:
      return integer(node);
    case Type::real:
      return real(node);
    case Type::string:
    case Type::path:
      return text(node);
    case Type::booleans:
      return list(boolean);
    case Type::integers:
      return list(integer);
    case Type::reals:
      return list(real);
    case Type::strings:
    case Type::paths:
      return list(text);
  }
  return false;
}

Node make_node(bool value) {
  Node node;
  node.kind = Node::Kind::boolean;
  node.boolean = value;
  return node;
}

Node make_node(std::int64_t value) {
  Node node;
  node.kind = Node::Kind::integer;
  node.integer = value;
  return node;
}

Node make_node(double value) {
  Node node;
  node.kind = Node::Kind::real;
  node.real = value;
  return node;
}

Node make_node(const std::string& value) {
  Node node;
  node.kind = Node::Kind::string;
  node.text = value;
  return node;
}

template <typename T>
Node make_node(const std::vector<T>& values) {
  Node node;
  node.kind = Node::Kind::list;
  for (const auto& value : values) node.items.push_back(make_node(static_cast<T>(value)));
  return node;
}

bool is_word(const ParamSpec& spec, const Node& node) {
  return has_words(spec) && node.kind == Node::Kind::string &&
         std::any_of(spec.choices.begin(), spec.choices.end(), [&](const Value& choice) {
           return std::get<std::string>(choice) == node.text;
         });
}

}  // namespace

std::string expectation(const ParamSpec& spec) {
  auto parts = choice_words(spec);
  if (parts.empty()) return type_words(spec) + range_words(spec);
  if (has_words(spec)) parts.push_back(type_words(spec) + range_words(spec));
  const bool list = is_list_type(spec.type) && !has_words(spec);
  return (list ? "a list of " : "") + alternatives(std::move(parts));
}

std::string range_text(const ParamSpec& spec) {
  auto parts = choice_words(spec);
  if (spec.minimum && spec.maximum)
    parts.push_back(fmt::format("{}{}, {}{}", spec.exclusive_minimum ? '(' : '[', *spec.minimum,
                                *spec.maximum, spec.exclusive_maximum ? ')' : ']'));
  else if (spec.minimum)
    parts.push_back(fmt::format("{} {}", spec.exclusive_minimum ? ">" : ">=", *spec.minimum));
  else if (spec.maximum)
    parts.push_back(fmt::format("{} {}", spec.exclusive_maximum ? "<" : "<=", *spec.maximum));
  return join(parts, ", ");
}

Checked check_value(const ParamSpec& spec, const Node& node) {
  if (is_word(spec, node)) return {Value(node.text), {}};
  if (!is_list_type(spec.type)) {
    if (auto mistake = check_element(spec, node)) return {std::nullopt, *mistake};
    return {make_value(spec.type, node), {}};
  }
  if (!node.is_list()) {
    const std::string remedy = node.kind == Node::Kind::table || has_words(spec)
                                   ? std::string{}
                                   : fmt::format("write [{}]", describe(node));
    const std::string near = choice_remedy(spec, node);
    return {std::nullopt,
            {fmt::format("expected {}, got {}", expectation(spec), describe(node)),
             has_words(spec) ? near : remedy}};
  }
  for (const auto& item : node.items)
    if (auto mistake = check_element(spec, item)) return {std::nullopt, *mistake};
  return {make_value(spec.type, node), {}};
}

std::optional<Mistake> check_value(const ParamSpec& spec, const Value& value) {
  const Node node = std::visit([](const auto& held) { return make_node(held); }, value);
  const Checked checked = check_value(spec, node);
  return checked.value ? std::nullopt : std::optional(checked.mistake);
}

}  // namespace bcx::config
