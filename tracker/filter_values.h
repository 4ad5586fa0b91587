// Numbers and times as filters write them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "tracker/filter.h"

namespace bcx::tracker {

/// A number as TOML writes it, a unit behind it if you like (filter.h); an integer stays one where
/// it can. Throws a text that says what is wrong (std::string) for anything else.
FilterValue parse_number(std::string_view text);

/// All instants that a text stands for: [from, to), microseconds since 1970, UTC.
struct TimeSpan {
  std::int64_t from = 0, to = 0;
};

/// A time as filter.h has it; none when it is not one. `now` is what relative ones count from.
std::optional<TimeSpan> parse_time(std::string_view text, std::int64_t now);

}  // namespace bcx::tracker
