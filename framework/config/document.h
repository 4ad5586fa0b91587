// A TOML file as a small tree of values that remember where they were written.
//
// toml++ stays behind document.cpp: it drops a node's position when the node is copied, and its
// headers cost seconds. Experiment files and plugin manifests are both read through this.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "config/params.h"

namespace bcx::config {

/// One value, list or table. A plain tree: copies keep their origins.
struct Node {
  enum class Kind { boolean, integer, real, string, date, list, table };

  Kind kind = Kind::table;
  bool boolean = false;
  std::int64_t integer = 0;
  double real = 0.0;
  std::string text;         ///< of a string; of a date or time as TOML writes it
  std::string raw;          ///< of a value of --set: what the user typed, when it was not quoted
  std::vector<Node> items;  ///< of a list
  struct Entry;
  std::vector<Entry> entries;  ///< of a table, in the order of the file
  Origin origin;               ///< of the value

  bool is_table() const { return kind == Kind::table; }
  bool is_list() const { return kind == Kind::list; }
  /// A list of tables and nothing else, and not empty.
  bool is_table_list() const;
  /// The entry of a table, nullptr when there is none or this is no table.
  const Node* find(std::string_view key) const;
  Node* find(std::string_view key);
  /// Adds or replaces an entry.
  void set(std::string_view key, Node value, Origin key_origin);
  bool erase(std::string_view key);
  /// This and every value below it comes from the same place: one option of the command line.
  void stamp(const Origin& origin);
};

struct Node::Entry {
  std::string key;
  Origin origin;  ///< of the key
  Node value;
};

/// What hostile input may not exceed, checked before toml++ sees a byte.
struct DocumentLimits {
  std::uintmax_t bytes = 1u << 20;
  int depth = 32;        ///< of brackets and of dotted keys
  int keys = 10'000;     ///< `=` signs and headers
  int digits = 64;       ///< of one number
  int values = 100'000;  ///< separated by commas
};

/// Parses TOML. `name` is how messages call the text: usually the path as the user wrote it.
/// Throws bcx::Error (usage) with `name:line:column` for the first mistake.
Node parse_document(std::string_view text, const std::string& name,
                    const DocumentLimits& limits = {});

/// `the string "ten"`, `the list [1, 2]`, `a table`: for messages; clipped and printable.
std::string describe(const Node& node);

}  // namespace bcx::config
