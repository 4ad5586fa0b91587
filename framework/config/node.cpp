#include <algorithm>

#include "base/text.h"
#include "config/document.h"

namespace bcx::config {

bool Node::is_table_list() const {
  return is_list() && !items.empty() &&
         std::all_of(items.begin(), items.end(), [](const Node& item) { return item.is_table(); });
}

Node* Node::find(std::string_view key) {
  for (auto& entry : entries)
    if (entry.key == key) return &entry.value;
  return nullptr;
}

const Node* Node::find(std::string_view key) const {
  return const_cast<Node*>(this)->find(key);
}

void Node::set(std::string_view key, Node value, Origin key_origin) {
  for (auto& entry : entries) {
    if (entry.key != key) continue;
    entry.value = std::move(value);
    entry.origin = std::move(key_origin);
    return;
  }
  entries.push_back({std::string(key), std::move(key_origin), std::move(value)});
}

bool Node::erase(std::string_view key) {
  return std::erase_if(entries, [&](const Entry& entry) { return entry.key == key; }) > 0;
}

void Node::stamp(const Origin& origin) {
  this->origin = origin;
  for (auto& item : items) item.stamp(origin);
  for (auto& entry : entries) {
    entry.origin = origin;
    entry.value.stamp(origin);
  }
}

std::string describe(const Node& node) {
  constexpr int width = 60;
  switch (node.kind) {
    case Node::Kind::boolean:
      return node.boolean ? "true" : "false";
    case Node::Kind::integer:
      return std::to_string(node.integer);
    case Node::Kind::real:
      return shortest(node.real);
    case Node::Kind::string:
      return clip("\"" + printable(node.text) + "\"", width);
    case Node::Kind::date:
      return "the date or time " + printable(node.text);
    case Node::Kind::table:
      return "a table";
    case Node::Kind::list:
      break;
  }
  std::string text = "[";
  for (const auto& item : node.items) {
    if (text.size() > 1) text += ", ";
    text += describe(item);
    if (text.size() > width) break;
  }
  return clip(text + "]", width);
}

}  // namespace bcx::config
