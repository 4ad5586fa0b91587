// The columns that every run has: what filters compare, lists sort by and groups are made of.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace bcx::tracker {

struct RunColumn {
  enum class Kind { text, number, time };
  std::string_view word;
  Kind kind;
  /// Over `run r`; NULL where a run has none. `$crashed` and `$unknown` stand for sets of rows.
  const char* sql;
  bool descending;  ///< the natural order
  /// For columns of which a run has several: a SELECT of them as `v`. Null for the others.
  const char* several = nullptr;
};

/// id name experiment status started ended duration seed tags stamps notes reason host pid git
/// version attempts parent command folder. `id` holds the UUID and the short id, `duration` is in
/// seconds.
std::span<const RunColumn> run_columns();

/// By its word; also `tag` and `stamp`.
const RunColumn* find_run_column(std::string_view word);

}  // namespace bcx::tracker
