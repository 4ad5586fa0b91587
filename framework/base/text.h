// Small text helpers: what is printed to people, and what is compared with what they typed.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace bcx {

/// The candidate nearest to `word` by Damerau-Levenshtein distance, if it is near enough to be a
/// typo of it (distance at most a third of the longer length, and at least 1 allowed). Ties go to
/// the first candidate.
std::optional<std::string> nearest(std::string_view word, std::span<const std::string> candidates);

/// `did you mean "epochs"?`, or an empty string when nothing is near.
std::string did_you_mean(std::string_view word, std::span<const std::string> candidates);

/// `text` with everything a terminal could act on made visible: control characters, DEL, C1 codes
/// and malformed UTF-8 become `\xNN`, newline `\n`, tab `\t`. Names from files go through this
/// before they are printed.
std::string printable(std::string_view text);

/// Columns that `text` (UTF-8) takes on a terminal: East Asian wide characters count two,
/// combining marks none.
int display_width(std::string_view text);

/// `text` cut to `width` columns, ending in `…` when something was cut.
std::string clip(std::string_view text, int width);

std::vector<std::string> split(std::string_view text, char separator);
std::string join(std::span<const std::string> parts, std::string_view separator);
std::string_view trim(std::string_view text);
std::string lower(std::string_view ascii);

/// The shortest decimal that reads back as the same double, and always as a floating-point
/// number: `0.1`, `1e-07`, `1.0`, `nan`, `inf`.
std::string shortest(double value);

/// `1.4 GB`, `812 kB`: powers of 1000, three significant digits.
std::string human_bytes(std::uint64_t bytes);

/// `0.42 s`, `3 min 12 s`, `2 h 05 min`.
std::string human_duration(double seconds);

/// `12,345`: thousands separated by commas.
std::string grouped(std::int64_t number);

}  // namespace bcx
