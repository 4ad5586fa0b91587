// A filter's words, numbers, texts and signs.
#pragma once

#include <string_view>
#include <vector>

#include "tracker/filter.h"

namespace bcx::tracker {

struct FilterToken {
  enum class Kind { end, word, key, literal, symbol };
  Kind kind = Kind::end;
  std::size_t at = 0, length = 0;
  std::string text;   ///< of word, key (without its backquotes) and symbol
  FilterValue value;  ///< of literal
};

/// Ends in a token of kind `end`. Throws as parse_filter().
std::vector<FilterToken> lex_filter(std::string_view text);

}  // namespace bcx::tracker
