#include "tracker/filter_values.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <ctime>
#include <limits>

#include "base/text.h"

namespace bcx::tracker {
namespace {

constexpr std::int64_t second = 1'000'000;

struct Unit {
  std::string_view name;
  double factor;
  bool time;
};
constexpr std::array<Unit, 17> units{{{"ms", 1e-3, true},
                                      {"s", 1, true},
                                      {"m", 60, true},
                                      {"min", 60, true},
                                      {"h", 3600, true},
                                      {"d", 86400, true},
                                      {"w", 7 * 86400, true},
                                      {"B", 1, false},
                                      {"kB", 1e3, false},
                                      {"MB", 1e6, false},
                                      {"GB", 1e9, false},
                                      {"TB", 1e12, false},
                                      {"KiB", 1024., false},
                                      {"MiB", 1048576., false},
                                      {"GiB", 1073741824., false},
                                      {"TiB", 1099511627776., false},
                                      {"", 1, false}}};

const Unit* find_unit(std::string_view name) {
  for (const auto& unit : units)
    if (unit.name == name) return &unit;
  return nullptr;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::string no_number(std::string_view text) {
  return fmt::format("\"{}\" is no number as TOML writes them", printable(text));
}

/// Digits with single underscores between them, taken out. Throws when they stand elsewhere.
std::string without_underscores(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '_') {
      out += text[i];
      continue;
    }
    const bool between = i > 0 && i + 1 < text.size() && std::isxdigit(text[i - 1] & 0x7F) &&
                         std::isxdigit(text[i + 1] & 0x7F);
    if (!between) throw no_number(text);
  }
  return out;
}

std::int64_t integer(std::string_view all, std::string_view digits, int base, bool negative) {
  const auto text = (negative ? "-" : "") + without_underscores(digits);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error == std::errc::result_out_of_range)
    throw fmt::format("{} does not fit into 64 bits", printable(all));
  if (error != std::errc() || end != text.data() + text.size()) throw no_number(all);
  return value;
}

/// How much of `text` is a decimal number: digits, a fraction, an exponent.
std::size_t decimal_length(std::string_view text) {
  std::size_t at = 0;
  const auto digits = [&] {
    while (at < text.size() && (is_digit(text[at]) || text[at] == '_')) ++at;
  };
  digits();
  if (at + 1 < text.size() && text[at] == '.' && is_digit(text[at + 1])) {
    ++at;
    digits();
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    const std::size_t sign = at + 1 < text.size() && (text[at + 1] == '-' || text[at + 1] == '+');
    if (at + 1 + sign < text.size() && is_digit(text[at + 1 + sign])) {
      at += 1 + sign;
      digits();
    }
  }
  return at;
}

FilterValue scaled(std::string_view all, std::int64_t value, double factor) {
  if (factor == 1) return value;
  std::int64_t product = 0;
  if (factor >= 1 && !__builtin_mul_overflow(value, static_cast<std::int64_t>(factor), &product))
    return product;
  if (factor >= 1) throw fmt::format("{} does not fit into 64 bits", printable(all));
  return static_cast<double>(value) * factor;
}

FilterValue decimal(std::string_view all, std::string_view text, bool negative) {
  const auto length = decimal_length(text);
  const auto digits = text.substr(0, length);
  const Unit* unit = find_unit(text.substr(length));
  if (!unit && length < text.size() && is_digit(text[0]) && text[length] != '.' &&
      text[length] != '_')
    throw fmt::format("\"{}\" is no unit: ms s m h d w, or B kB MB GB TB KiB MiB GiB TiB",
                      printable(text.substr(length)));
  if (!unit || digits.empty() || (digits.size() > 1 && digits[0] == '0' && is_digit(digits[1])))
    throw no_number(all);
  if (digits.find_first_of(".eE") == std::string_view::npos)
    return scaled(all, integer(all, digits, 10, negative), unit->factor);
  const auto plain = without_underscores(digits);
  double value = 0;
  const auto [end, error] = std::from_chars(plain.data(), plain.data() + plain.size(), value);
  if (error == std::errc::result_out_of_range)
    throw fmt::format("{} does not fit into a double", printable(all));
  if (error != std::errc() || end != plain.data() + plain.size()) throw no_number(all);
  return (negative ? -value : value) * unit->factor;
}

/// Digits from the front of a text.
class Digits {
 public:
  explicit Digits(std::string_view text) : rest_(text) {}
  /// Exactly `count` digits; none leaves everything as it was.
  std::optional<int> number(std::size_t count) {
    if (rest_.size() < count) return std::nullopt;
    int value = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (!is_digit(rest_[i])) return std::nullopt;
      value = value * 10 + (rest_[i] - '0');
    }
    rest_.remove_prefix(count);
    return value;
  }
  bool take(char c) {
    if (rest_.empty() || rest_[0] != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
};

bool is_valid(const std::tm& time) {
  if (time.tm_mon < 0 || time.tm_mon > 11 || time.tm_hour > 23 || time.tm_min > 59 ||
      time.tm_sec > 59 || time.tm_year < 70)
    return false;
  constexpr std::array<int, 12> days{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const int year = time.tm_year + 1900;
  const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  const int most = time.tm_mon == 1 && leap ? 29 : days[static_cast<std::size_t>(time.tm_mon)];
  return time.tm_mday >= 1 && time.tm_mday <= most;
}

/// mktime and timegm bring parts that are one too large into order.
std::int64_t instant(std::tm time, std::optional<int> zone_minutes) {
  time.tm_isdst = -1;
  const auto seconds =
      zone_minutes ? timegm(&time) - std::int64_t{*zone_minutes} * 60 : std::int64_t{mktime(&time)};
  return seconds * second;
}

/// `Z`, `+01:00`, or nothing: local.
bool read_zone(Digits& text, std::optional<int>& zone) {
  if (text.take('Z') || text.take('z')) {
    zone = 0;
    return true;
  }
  const int sign = text.take('+') ? 1 : text.take('-') ? -1 : 0;
  if (sign == 0) return true;
  const auto hours = text.number(2);
  const bool colon = text.take(':');
  const auto minutes = text.number(2);
  if (!hours || !colon || !minutes || *hours > 23 || *minutes > 59) return false;
  zone = sign * (*hours * 60 + *minutes);
  return true;
}

/// `.125` → microseconds; `length` of the span that it stands for.
bool read_fraction(Digits& text, std::int64_t& fraction, std::int64_t& length) {
  length = second;
  for (bool any = false;; any = true) {
    const auto digit = text.number(1);
    if (!digit) return any;
    if (length == 1) continue;  // finer than a microsecond
    length /= 10;
    fraction += *digit * length;
  }
}

std::optional<TimeSpan> calendar(std::string_view written) {
  Digits text(written);
  std::tm from{};
  from.tm_mday = 1;
  const auto year = text.number(4);
  if (!year) return std::nullopt;
  from.tm_year = *year - 1900;
  int std::tm::*finest = &std::tm::tm_year;
  std::optional<int> zone;
  std::int64_t fraction = 0, length = 0;
  const auto part = [&](int std::tm::*member, int minus) {
    const auto number = text.number(2);
    if (!number) return false;
    from.*member = *number - minus;
    finest = member;
    return true;
  };
  if (text.take('-') && !part(&std::tm::tm_mon, 1)) return std::nullopt;
  if (finest == &std::tm::tm_mon && text.take('-') && !part(&std::tm::tm_mday, 0))
    return std::nullopt;
  if (finest == &std::tm::tm_mday && (text.take('T') || text.take('t') || text.take(' '))) {
    if (!part(&std::tm::tm_hour, 0) || !text.take(':') || !part(&std::tm::tm_min, 0))
      return std::nullopt;
    if (text.take(':') && !part(&std::tm::tm_sec, 0)) return std::nullopt;
    if (finest == &std::tm::tm_sec && text.take('.') && !read_fraction(text, fraction, length))
      return std::nullopt;
    if (!read_zone(text, zone)) return std::nullopt;
  }
  if (!text.rest().empty() || !is_valid(from)) return std::nullopt;
  TimeSpan span;
  span.from = instant(from, zone) + fraction;
  std::tm to = from;
  ++(to.*finest);
  span.to = length > 0 ? span.from + length : instant(to, zone);
  return span;
}

/// `-7d`, `-1.5h`: an instant.
std::optional<TimeSpan> relative(std::string_view text, std::int64_t now) {
  const auto length = decimal_length(text.substr(1));
  const Unit* unit = find_unit(text.substr(1 + length));
  if (!unit || !unit->time) return std::nullopt;
  double seconds = 0;
  try {
    const auto number = parse_number(text);
    if (const auto* whole = std::get_if<std::int64_t>(&number))
      seconds = static_cast<double>(*whole);
    else
      seconds = std::get<double>(number);
  } catch (const std::string&) {
    return std::nullopt;
  }
  if (std::abs(seconds) > 1e11) return std::nullopt;
  const auto at = now + static_cast<std::int64_t>(seconds * second);
  return TimeSpan{at, at + 1};
}

TimeSpan day(std::int64_t now, int offset) {
  const std::time_t seconds = now / second;
  std::tm parts{};
  localtime_r(&seconds, &parts);
  std::tm from{};
  from.tm_year = parts.tm_year;
  from.tm_mon = parts.tm_mon;
  from.tm_mday = parts.tm_mday + offset;
  std::tm to = from;
  ++to.tm_mday;
  return {instant(from, std::nullopt), instant(to, std::nullopt)};
}

}  // namespace

FilterValue parse_number(std::string_view text) {
  const bool negative = text.starts_with('-');
  auto body = text;
  if (negative || text.starts_with('+')) body.remove_prefix(1);
  if (body == "inf") {
    const double infinity = std::numeric_limits<double>::infinity();
    return negative ? -infinity : infinity;
  }
  const auto based = [&](int base) {
    if (body.size() < 3 || body.size() < text.size() || body[2] == '-') throw no_number(text);
    return FilterValue(integer(text, body.substr(2), base, false));
  };
  if (body.starts_with("0x")) return based(16);
  if (body.starts_with("0o")) return based(8);
  if (body.starts_with("0b")) return based(2);
  return decimal(text, body, negative);
}

std::optional<TimeSpan> parse_time(std::string_view text, std::int64_t now) {
  if (text == "now") return TimeSpan{now, now + 1};
  if (text == "today") return day(now, 0);
  if (text == "yesterday") return day(now, -1);
  if (text.starts_with('-') || text.starts_with('+')) return relative(text, now);
  return calendar(text);
}

}  // namespace bcx::tracker
