// The language in which runs are asked for: `val.auc > 0.9 and (lr < 1e-3 or optimizer = "sgd")`.
//
//     filter     := condition { ("and" | "or") condition }        and binds tighter; not, ( )
//     condition  := term = != < <= > >= term                      one of them a key
//                 | term < key < term                             a range, also <=, > and >=
//                 | key [not] between value and value             both ends belong to it
//                 | key [not] in (value, ...)
//                 | key [not] like "dense%"                       % any text, _ one character,
//                                                                 \ takes their meaning; no case
//                 | key is [not] null                             the run has no such value
//                 | key is [not] nan                              the value is not a number
//     term       := value | key | last(KEY) | best(KEY) | min(KEY) | max(KEY)
//     value      := 1e-3 | 1_000 | 0x1f | inf | 30m | 8GB | true | "text" | 'text' | 2026-11-23
//
// A key is a column (run_columns.h), a parameter or a metric, in full or its last part where that
// is unique; `key` in backquotes when it looks like something else. A metric means its last value.
//
// Two rules. A comparison is false when the run does not have the value, or has one of another type
// (text, number, true or false); `not` in front of it turns that around, and `!=`, `not in`,
// `not like` do not. Of tags, stamps and ids a run has several: `=`, `in` and `like` ask whether
// one of them is meant, `!=`, `not in` and `not like` whether none is.
//
// Units: ms s m (or min) h d w make seconds; B kB MB GB TB KiB MiB GiB TiB make bytes.
// Times are compared with text: "-7d", "now", "today", "yesterday", "2026", "2026-11",
// "2026-11-23", "2026-11-23 06:41", with seconds and a zone (Z, +01:00) if you like; local time
// without one. Each stands for all that it covers: `started = "2026-11-23"` is true all day,
// `started > "2026-11-23"` from the next day on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"

namespace bcx::tracker {

/// What a filter may be at most. SQLite's own limits lie beyond.
inline constexpr std::size_t longest_filter = 10'000;  ///< bytes
inline constexpr std::size_t most_filter_tokens = 1'000;
inline constexpr int deepest_filter = 64;  ///< parentheses and nots

struct FilterText {
  std::string text;
  bool unquoted_time = false;  ///< written as TOML writes times
};
using FilterValue = std::variant<bool, std::int64_t, double, FilterText>;

/// One side of a comparison and the place where it was written.
struct FilterTerm {
  std::size_t at = 0, length = 0;    ///< bytes of the filter
  std::optional<FilterValue> value;  ///< none: a key
  std::string key;                   ///< as written
  std::string function;              ///< last | best | min | max, empty without
};

enum class Compare { equal, unequal, less, less_equal, greater, greater_equal };

/// A filter as a tree. `all` and `any` hold two nodes or more, `negation` one; the others hold
/// terms, whose first is a key except in `compare`.
struct FilterNode {
  enum class Kind { all, any, negation, compare, between, in, like, null, nan };
  Kind kind = Kind::all;
  bool negated = false;  ///< not in, not like, not between, is not
  Compare compare = Compare::equal;
  std::vector<FilterTerm> terms;
  std::vector<FilterNode> nodes;
};

struct Filter {
  std::string text;  ///< what places in terms are about
  FilterNode root;
};

/// Throws bcx::Error (usage) that points at the column. Keys are not looked up here.
Filter parse_filter(std::string_view text);

/// pointed_error() about a filter.
Error filter_error(std::string_view text, std::size_t at, std::size_t length, std::string what,
                   std::string remedy = {});

}  // namespace bcx::tracker
