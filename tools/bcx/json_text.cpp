#include "json_text.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace bcx::cli {
namespace {

using nlohmann::ordered_json;

unsigned byte(const std::string& text, std::size_t at) {
  return at < text.size() ? static_cast<unsigned char>(text[at]) : 0;
}

bool acts_on_terminals(unsigned code) {
  return code == 0x7F || (code >= 0x80 && code < 0xA0) || (code >= 0x2028 && code <= 0x202E) ||
         (code >= 0x2066 && code <= 0x2069);
}

std::string for_terminals(const std::string& dumped) {
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

std::string text_of(const ordered_json& json, int indent) {
  return for_terminals(json.dump(indent, ' ', false, ordered_json::error_handler_t::replace));
}

}  // namespace

std::string dump(const ordered_json& json) {
  return text_of(json, 2);
}

std::string dump_line(const ordered_json& json) {
  return text_of(json, -1);
}

}  // namespace bcx::cli
