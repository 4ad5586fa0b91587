#include "base/shell.h"

#include <algorithm>
#include <cctype>

namespace bcx {

std::string shell_word(std::string_view word) {
  constexpr std::string_view plain = "_@%+=:,./-";
  const bool is_plain = std::all_of(word.begin(), word.end(), [&](char c) {
    const bool ascii = static_cast<unsigned char>(c) < 0x80;
    return ascii && (std::isalnum(static_cast<unsigned char>(c)) || plain.find(c) != plain.npos);
  });
  if (is_plain && !word.empty()) return std::string(word);
  std::string out = "'";
  for (const char c : word) {
    if (c == '\'')
      out += "'\\''";
    else
      out += c;
  }
  return out + "'";
}

}  // namespace bcx
