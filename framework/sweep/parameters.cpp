#include "sweep/parameters.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "base/error.h"
#include "base/text.h"

namespace bcx::sweep {
namespace {

using config::Node;
using config::Origin;
using config::Problems;

constexpr std::array kinds{"choices", "uniform", "log_uniform", "integer"};
constexpr std::int64_t most_choices = 1000;
const std::vector<std::string> known_keys{"key",     "choices", "uniform", "log_uniform",
                                          "integer", "points",  "when"};

Node text_node(std::string text, const Origin& origin) {
  Node node;
  node.kind = Node::Kind::string;
  node.text = std::move(text);
  node.origin = origin;
  return node;
}

/// TOML, or else a bare word.
Node word_node(const std::string& text, const Origin& origin) {
  try {
    auto document = config::parse_document("v = " + text, "parameter");
    if (document.entries.size() == 1 && document.entries[0].key == "v") {
      Node value = std::move(document.entries[0].value);
      value.stamp(origin);
      return value;
    }
  } catch (const Error&) {
  }
  return text_node(text, origin);
}

/// Parts between commas that stand in no bracket and no quotes.
std::vector<std::string> parts_of(std::string_view text) {
  std::vector<std::string> parts(1);
  int depth = 0;
  char quote = 0;
  for (const char c : text) {
    if (quote) {
      if (c == quote) quote = 0;
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '[' || c == '{') {
      ++depth;
    } else if (c == ']' || c == '}') {
      --depth;
    } else if (c == ',' && depth == 0) {
      parts.emplace_back();
      continue;
    }
    parts.back() += c;
  }
  for (auto& part : parts) part = std::string(trim(part));
  return parts;
}

/// `log(1e-5,1e-2)`: the kind and what stands in the brackets.
std::optional<std::pair<std::string, std::string>> call_of(const std::string& text) {
  static const std::vector<std::pair<std::string, std::string>> names{
      {"log", "log_uniform"}, {"uniform", "uniform"}, {"int", "integer"}};
  if (!text.ends_with(")")) return std::nullopt;
  for (const auto& [name, kind] : names)
    if (text.starts_with(name + "("))
      return std::pair(kind, text.substr(name.size() + 1, text.size() - name.size() - 2));
  return std::nullopt;
}

Node list_of(const std::vector<std::string>& parts, const Origin& origin) {
  Node list;
  list.kind = Node::Kind::list;
  list.origin = origin;
  for (const auto& part : parts) list.items.push_back(word_node(part, origin));
  return list;
}

/// What was written, whatever type its key has.
std::optional<config::Value> written_value(const Node& node) {
  const auto list = [&](auto take) -> config::Value {
    std::vector<decltype(take(node))> out;
    for (const auto& item : node.items) out.push_back(take(item));
    return out;
  };
  const auto all = [&](Node::Kind kind) {
    return std::all_of(node.items.begin(), node.items.end(),
                       [&](const Node& item) { return item.kind == kind; });
  };
  switch (node.kind) {
    case Node::Kind::boolean:
      return node.boolean;
    case Node::Kind::integer:
      return node.integer;
    case Node::Kind::real:
      return node.real;
    case Node::Kind::string:
      return node.text;
    case Node::Kind::list:
      if (all(Node::Kind::string)) return list([](const Node& n) { return n.text; });
      if (all(Node::Kind::integer)) return list([](const Node& n) { return n.integer; });
      if (all(Node::Kind::boolean)) return list([](const Node& n) { return n.boolean; });
      if (std::all_of(node.items.begin(), node.items.end(), [](const Node& n) {
            return n.kind == Node::Kind::integer || n.kind == Node::Kind::real;
          }))
        return list([](const Node& n) {
          return n.kind == Node::Kind::integer ? static_cast<double>(n.integer) : n.real;
        });
      return std::nullopt;
    default:
      return std::nullopt;
  }
}

std::optional<double> number_of(const Node& node) {
  if (node.kind == Node::Kind::integer) return static_cast<double>(node.integer);
  if (node.kind == Node::Kind::real && std::isfinite(node.real)) return node.real;
  return std::nullopt;
}

class AxisReader {
 public:
  AxisReader(const Node& table, Problems& problems) : table_(table), problems_(problems) {}

  WrittenAxis read() {
    check_keys();
    out_.key = table_.origin;
    if (const Node* key = table_.find("key"); !key)
      problems_.add(table_.origin, "a parameter of a sweep needs a key",
                    "write key = \"train.batch_size\"");
    else if (key->kind != Node::Kind::string || key->text.empty())
      problems_.add(key->origin,
                    fmt::format("key: expected a key of the experiment, got {}", describe(*key)));
    else
      out_.axis.key = key->text, out_.key = key->origin;
    values();
    points();
    when();
    return std::move(out_);
  }

 private:
  void check_keys() {
    for (const auto& entry : table_.entries)
      if (std::find(known_keys.begin(), known_keys.end(), entry.key) == known_keys.end())
        problems_.add(entry.origin,
                      fmt::format("unknown key \"{}\" in [[sweep.parameter]]",
                                  printable(clip(entry.key, 60))),
                      did_you_mean(entry.key.substr(0, 64), known_keys));
  }

  void values() {
    const Node* found = nullptr;
    for (std::size_t i = 0; i < kinds.size(); ++i) {
      const Node* node = table_.find(kinds[i]);
      if (!node) continue;
      if (found)
        return problems_.add(node->origin, "a parameter has one range",
                             "write choices, uniform, log_uniform or integer");
      found = node;
      out_.axis.scale = static_cast<Axis::Scale>(i);
    }
    if (!found)
      return problems_.add(table_.origin, "a parameter of a sweep needs the values to try",
                           "write choices = [16, 32], or uniform, log_uniform or integer with "
                           "both ends");
    out_.axis.scale == Axis::Scale::choices ? choices(*found) : range(*found);
  }

  void choices(const Node& node) {
    if (!node.is_list() || node.items.empty() || std::ssize(node.items) > most_choices)
      return problems_.add(
          node.origin, fmt::format("choices: expected a list of values, got {}", describe(node)));
    for (const auto& item : node.items) {
      const auto value = written_value(item);
      if (!value) {
        problems_.add(item.origin,
                      fmt::format("choices: expected a value, got {}", describe(item)));
        continue;
      }
      auto& list = out_.axis.choices;
      if (std::find(list.begin(), list.end(), *value) != list.end())
        problems_.add(item.origin, fmt::format("choices: {} stands there twice", describe(item)));
      list.push_back(*value);
      out_.tried.emplace_back(item, item.origin);
    }
  }

  void range(const Node& node) {
    const char* kind = kinds[static_cast<std::size_t>(out_.axis.scale)];
    const auto wrong = [&](std::string what) {
      problems_.add(node.origin, fmt::format("{}: {}, got {}", kind, what, describe(node)));
    };
    if (!node.is_list() || node.items.size() != 2 || !number_of(node.items[0]) ||
        !number_of(node.items[1]))
      return wrong("expected two numbers, [low, high]");
    auto& axis = out_.axis;
    axis.low = *number_of(node.items[0]);
    axis.high = *number_of(node.items[1]);
    const bool whole =
        node.items[0].kind == Node::Kind::integer && node.items[1].kind == Node::Kind::integer;
    if (!(axis.low < axis.high)) return wrong("expected the lower end first");
    if (axis.scale == Axis::Scale::log_uniform && axis.low <= 0)
      return wrong("expected numbers above 0");
    if (axis.scale == Axis::Scale::integer && !whole) return wrong("expected whole numbers");
    for (const auto& item : node.items) out_.tried.emplace_back(item, item.origin);
  }

  void points() {
    const Node* node = table_.find("points");
    if (!node) return;
    if (node->kind != Node::Kind::integer || node->integer < 1 || node->integer > most_choices)
      return problems_.add(node->origin,
                           fmt::format("points: expected a whole number from 1 to {}, got {}",
                                       most_choices, describe(*node)));
    out_.axis.points = node->integer;
  }

  void when() {
    const Node* node = table_.find("when");
    if (!node) return;
    if (!node->is_table())
      return problems_.add(node->origin,
                           fmt::format("when: expected a table, got {}", describe(*node)),
                           "write when = { \"model.backbone\" = \"densenet201\" }");
    flatten(*node, "");
  }

  /// `when = { model.backbone = "x" }` is a table in a table.
  void flatten(const Node& table, const std::string& prefix) {
    for (const auto& entry : table.entries) {
      const auto key = prefix.empty() ? entry.key : prefix + "." + entry.key;
      if (entry.value.is_table()) {
        flatten(entry.value, key);
        continue;
      }
      const auto value = written_value(entry.value);
      if (!value) {
        problems_.add(entry.value.origin,
                      fmt::format("when: expected a value, got {}", describe(entry.value)));
        continue;
      }
      out_.axis.when[key] = *value;
      out_.when.push_back(entry.value);
    }
  }

  const Node& table_;
  Problems& problems_;
  WrittenAxis out_;
};

}  // namespace

std::vector<Node> parameter_nodes(const std::vector<std::string>& texts, Problems& problems) {
  std::vector<Node> nodes;
  for (const auto& text : texts) {
    const auto equals = text.find('=');
    Origin origin;
    origin.kind = Origin::Kind::command_line;
    origin.detail = text;
    if (equals == std::string::npos || equals == 0) {
      problems.add(origin, "expected a parameter, KEY=VALUES",
                   "write train.batch_size=16,32 or optimizer.learning_rate='log(1e-5,1e-2)'");
      continue;
    }
    const auto values = std::string(trim(text.substr(equals + 1)));
    Node table;
    table.stamp(origin);
    table.set("key", text_node(std::string(trim(text.substr(0, equals))), origin), origin);
    if (const auto call = call_of(values)) {
      auto parts = parts_of(call->second);
      if (parts.size() == 3) {
        table.set("points", word_node(parts[2], origin), origin);
        parts.pop_back();
      }
      table.set(call->first, list_of(parts, origin), origin);
    } else {
      table.set("choices", list_of(parts_of(values), origin), origin);
    }
    nodes.push_back(std::move(table));
  }
  return nodes;
}

WrittenAxis read_axis(const Node& table, Problems& problems) {
  return AxisReader(table, problems).read();
}

}  // namespace bcx::sweep
