#include "config/overrides.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/text.h"
#include "config/merge.h"

namespace bcx::config {
namespace {

Node text_node(const std::string& text, const Origin& origin) {
  Node node;
  node.kind = Node::Kind::string;
  node.text = text;
  node.origin = origin;
  return node;
}

/// The right-hand side of --set: TOML, or else a bare word, which is a string. What starts like
/// a list, a table or a quoted string has to be one.
std::optional<Node> right_hand_side(const std::string& text, const Origin& origin,
                                    Problems& problems) {
  const bool structured =
      !text.empty() && std::string_view("[{\"'").find(text[0]) != std::string_view::npos;
  try {
    Node document = parse_document("v = " + text, "--set");
    if (document.entries.size() == 1 && document.entries[0].key == "v") {
      Node value = std::move(document.entries[0].value);
      value.stamp(origin);
      if (!structured) value.raw = text;
      return value;
    }
  } catch (const Error& error) {
    if (structured) {
      problems.add(origin, error.parts().what, "quote the whole option for the shell: --set 'K=V'");
      return std::nullopt;
    }
  }
  return text_node(text, origin);
}

std::string element_name(const Node& element) {
  const Node* name = element.find("name");
  return name && name->kind == Node::Kind::string ? name->text : std::string{};
}

/// `rotate`, `rotate#2`; elements without names `#1`, `#2`.
std::vector<std::string> element_names(const Node& list) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < list.items.size(); ++i) {
    const std::string name = element_name(list.items[i]);
    const auto same =
        std::count_if(list.items.begin(), list.items.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                      [&](const Node& item) { return element_name(item) == name; });
    names.push_back(name.empty() || same > 1 ? fmt::format("{}#{}", name, same) : name);
  }
  return names;
}

class Setter {
 public:
  Setter(Node& root, Problems& problems) : root_(root), problems_(problems) {}

  void set(const std::string& key, Node value, const Origin& origin) {
    const auto parts = split(key, '.');
    if (std::any_of(parts.begin(), parts.end(), [](const auto& part) { return part.empty(); }) ||
        parts.size() > 8)
      return problems_.add(origin, "expected a key such as train.batch_size before the =");
    Node* node = &root_;
    for (std::size_t i = 0; i + 1 < parts.size() && node; ++i)
      node = descend(*node, parts, i, value, origin);
    if (node) finish(*node, parts, std::move(value), origin);
  }

 private:
  /// The node that parts[at] names below `node`, made where there is none; nullptr: done, or wrong.
  Node* descend(Node& node, const std::vector<std::string>& parts, std::size_t at,
                const Node& value, const Origin& origin) {
    const std::string& part = parts[at];
    if (node.is_list()) return element(node, parts, at, origin);
    if (!node.is_table()) {
      finish(node, parts, value, origin);
      return nullptr;
    }
    Node* next = node.find(part);
    const bool last_is_append = at + 2 == parts.size() && parts.back() == "append";
    if (last_is_append && value.is_list()) {
      append(node, part, value, origin);
      return nullptr;
    }
    if (!next || !(next->is_table() || next->is_list())) {
      Node table;
      table.origin = origin;
      node.set(part, std::move(table), origin);
      next = node.find(part);
    }
    return next;
  }

  Node* element(Node& list, const std::vector<std::string>& parts, std::size_t at,
                const Origin& origin) {
    const auto names = element_names(list);
    const std::string& wanted = parts[at];
    const std::string first = wanted.size() > 2 && wanted.ends_with("#1") && wanted[0] != '#'
                                  ? wanted.substr(0, wanted.size() - 2)
                                  : wanted;
    const auto found = std::find(names.begin(), names.end(), first);
    if (found != names.end()) return &list.items[static_cast<std::size_t>(found - names.begin())];
    std::vector<std::string> section(parts.begin(),
                                     parts.begin() + static_cast<std::ptrdiff_t>(at));
    const std::string near = did_you_mean(wanted, names);
    std::string remedy = !near.empty()   ? near
                         : names.empty() ? "the experiment has none"
                                         : "there is " + printable(join(names, ", "));
    problems_.add(origin,
                  fmt::format("no element \"{}\" in [[{}]]", printable(wanted), join(section, ".")),
                  std::move(remedy));
    return nullptr;
  }

  void append(Node& table, const std::string& key, const Node& list, const Origin& origin) {
    Node over, value;
    value.set("append", list, origin);
    over.set(key, std::move(value), origin);
    merge(table, over);
  }

  void finish(Node& node, const std::vector<std::string>& parts, Node value, const Origin& origin) {
    if (node.is_table()) return node.set(parts.back(), std::move(value), origin);
    problems_.add(origin,
                  fmt::format("\"{}\" is an element of a list, expected one of its keys",
                              printable(parts.back())),
                  fmt::format("write {}.KEY=VALUE", printable(join(parts, "."))));
  }

  Node& root_;
  Problems& problems_;
};

Origin origin_of(Origin::Kind kind, std::string detail) {
  Origin origin;
  origin.kind = kind;
  origin.detail = std::move(detail);
  return origin;
}

Node& table_at(Node& root, std::string_view key, const Origin& origin) {
  Node* table = root.find(key);
  if (!table) {
    Node made;
    made.origin = origin;
    root.set(key, std::move(made), origin);
    table = root.find(key);
  }
  return *table;
}

void apply_set(Setter& setter, const std::string& text, Problems& problems) {
  const std::size_t equals = text.find('=');
  const std::string key(trim(text.substr(0, equals)));
  const Origin origin = origin_of(Origin::Kind::command_line, "--set " + key);
  if (equals == std::string::npos)
    return problems.add(origin, "expected KEY=VALUE", "write --set train.batch_size=32");
  if (auto value = right_hand_side(std::string(trim(text.substr(equals + 1))), origin, problems))
    setter.set(key, std::move(*value), origin);
}

void apply_option(Setter& setter, const OptionValue& option) {
  const Origin origin = origin_of(Origin::Kind::command_line, option.option);
  Node value = text_node(option.text, origin);
  if (!option.key.ends_with(".append")) return setter.set(option.key, std::move(value), origin);
  Node list;
  list.kind = Node::Kind::list;
  list.origin = origin;
  list.items.push_back(std::move(value));
  setter.set(option.key, std::move(list), origin);
}

}  // namespace

void apply_environment(Node& root, const LoadOptions& options) {
  const auto say = [&](const char* variable, const char* section, const char* key, bool always) {
    const auto told = options.environment.find(variable);
    if (told == options.environment.end() || told->second.empty()) return;
    const Origin origin = origin_of(Origin::Kind::environment, variable);
    Node& table = table_at(root, section, origin);
    const Node* now = table.find(key);
    const bool yields =
        !now || (now->kind == Node::Kind::string && std::filesystem::path(now->text).is_relative());
    if (table.is_table() && (always || yields))
      table.set(key, text_node(told->second, origin), origin);
  };
  say("BCX_DATA", "data", "root", false);
  say("BCX_TRACKER", "tracker", "path", true);
}

void apply_command_line(Node& root, const LoadOptions& options, Problems& problems) {
  Setter setter(root, problems);
  for (const auto& option : options.options) apply_option(setter, option);
  for (const auto& text : options.sets) apply_set(setter, text, problems);
}

}  // namespace bcx::config
