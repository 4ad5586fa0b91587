#include "json_text.h"

#include <fmt/format.h>

namespace bcx::cli {
namespace {

unsigned byte(const std::string& text, std::size_t at) {
  return at < text.size() ? static_cast<unsigned char>(text[at]) : 0;
}

bool acts_on_terminals(unsigned code) {
  return code == 0x7F || (code >= 0x80 && code < 0xA0) || (code >= 0x2028 && code <= 0x202E) ||
         (code >= 0x2066 && code <= 0x2069);
}

}  // namespace

std::string json_text(const std::string& dumped) {
  std::string out;
  out.reserve(dumped.size());
  for (std::size_t at = 0; at < dumped.size();) {
    const unsigned first = byte(dumped, at), second = byte(dumped, at + 1) & 0x3F;
    const std::size_t length = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    const unsigned code = length == 1   ? first
                          : length == 2 ? (first & 0x1F) << 6 | second
                          : length == 3
                              ? (first & 0x0F) << 12 | second << 6 | (byte(dumped, at + 2) & 0x3F)
                              : 0;
    if (acts_on_terminals(code))
      out += fmt::format("\\u{:04x}", code);
    else
      out += dumped.substr(at, length);
    at += length;
  }
  return out;
}

}  // namespace bcx::cli
