#include "tracker/pointed_error.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace bcx::tracker {
namespace {

/// Not in the middle of a character.
std::size_t boundary(std::string_view text, std::size_t at) {
  while (at > 0 && at < text.size() && (text[at] & 0xC0) == 0x80) --at;
  return at;
}

}  // namespace

Error pointed_error(std::string_view of, std::string_view text, std::size_t at, std::size_t length,
                    std::string what, std::string remedy) {
  constexpr std::size_t before = 48, behind = 40;
  at = std::min(at, text.size());
  const auto end = std::min(text.size(), at + std::max<std::size_t>(1, length));
  const auto first = at > before ? boundary(text, at - before) : 0;
  const auto last = text.size() - at > behind ? boundary(text, at + behind) : text.size();
  const auto column = display_width(printable(text.substr(0, at))) + 1;
  const auto lead = (first > 0 ? "…" : "") + printable(text.substr(first, at - first));
  const auto marked = display_width(printable(text.substr(at, std::min(end, last) - at)));
  const auto picture =
      fmt::format("\n  {}{}{}\n  {}^{}", lead, printable(text.substr(at, last - at)),
                  last < text.size() ? "…" : "",
                  std::string(static_cast<std::size_t>(display_width(lead)), ' '),
                  std::string(static_cast<std::size_t>(std::max(0, marked - 1)), '~'));
  (remedy.empty() ? what : remedy) += picture;
  return Error(ExitCode::usage,
               {std::move(what), fmt::format("{}, column {}", of, column), std::move(remedy)});
}

}  // namespace bcx::tracker
