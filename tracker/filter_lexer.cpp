#include "tracker/filter_lexer.h"

#include <fmt/format.h>

#include <array>

#include "base/text.h"
#include "tracker/filter_values.h"

namespace bcx::tracker {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c & 0x80);
}
bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}
/// What names of metrics and parameters are made of.
bool in_word(char c) {
  return is_letter(c) || is_digit(c) || std::string_view(".-#/:@+%").find(c) != std::string::npos;
}

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  std::vector<FilterToken> all() {
    if (text_.size() > longest_filter)
      throw Error(ExitCode::usage, {fmt::format("a filter of {} bytes", text_.size()), "",
                                    fmt::format("{} are the most", longest_filter)});
    for (;;) {
      while (at_ < text_.size() && is_space(text_[at_])) ++at_;
      tokens_.push_back(next());
      if (tokens_.back().kind == FilterToken::Kind::end) return std::move(tokens_);
      if (tokens_.size() > most_filter_tokens)
        fail(at_, 1, fmt::format("more than {} words and signs", most_filter_tokens));
    }
  }

 private:
  using Kind = FilterToken::Kind;

  char peek(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  [[noreturn]] void fail(std::size_t at, std::size_t length, std::string what,
                         std::string remedy = {}) const {
    throw filter_error(text_, at, length, std::move(what), std::move(remedy));
  }
  FilterToken token(Kind kind, std::size_t end, std::string text = {}, FilterValue value = {}) {
    FilterToken made{kind, at_, end - at_, std::move(text), std::move(value)};
    at_ = end;
    return made;
  }

  FilterToken next() {
    if (at_ >= text_.size()) return token(Kind::end, at_);
    const char c = peek();
    if (c == '"' || c == '\'') return quoted(c);
    if (c == '`') return quoted_key();
    const bool sign = (c == '-' || c == '+') && (is_digit(peek(1)) || peek(1) == 'i');
    if (is_digit(c) || sign) return looks_like_date() ? date() : number();
    if (is_letter(c)) return word();
    return symbol();
  }

  FilterToken word() {
    std::size_t end = at_;
    while (end < text_.size() && in_word(text_[end])) ++end;
    const auto text = text_.substr(at_, end - at_);
    if (text == "true" || text == "false") return token(Kind::literal, end, {}, text == "true");
    if (text == "inf") return token(Kind::literal, end, {}, parse_number(text));
    return token(Kind::word, end, std::string(text));
  }

  FilterToken number() {
    std::size_t end = at_ + 1;
    for (; end < text_.size(); ++end) {
      const char c = text_[end];
      const bool exponent = (c == '-' || c == '+') && (text_[end - 1] | 0x20) == 'e';
      if (!is_letter(c) && !is_digit(c) && c != '.' && !exponent) break;
    }
    try {
      return token(Kind::literal, end, {}, parse_number(text_.substr(at_, end - at_)));
    } catch (const std::string& what) {
      fail(at_, end - at_, what);
    }
  }

  /// 2026-11-23: four digits and a hyphen.
  bool looks_like_date() const {
    return is_digit(peek()) && is_digit(peek(1)) && is_digit(peek(2)) && is_digit(peek(3)) &&
           peek(4) == '-';
  }
  FilterToken date() {
    std::size_t end = at_;
    const auto run = [&] {
      while (end < text_.size() && (is_digit(text_[end]) || is_letter(text_[end]) ||
                                    std::string_view("-:.+").find(text_[end]) != std::string::npos))
        ++end;
    };
    run();
    // TOML allows one space before the hours.
    if (end + 3 < text_.size() && text_[end] == ' ' && is_digit(text_[end + 1]) &&
        is_digit(text_[end + 2]) && text_[end + 3] == ':') {
      ++end;
      run();
    }
    return token(Kind::literal, end, {},
                 FilterText{std::string(text_.substr(at_, end - at_)), true});
  }

  /// "with \" \\ \n \t" or 'as it is'.
  FilterToken quoted(char quote) {
    std::string out;
    std::size_t end = at_ + 1;
    for (; end < text_.size() && text_[end] != quote; ++end) {
      if (quote == '\'' || text_[end] != '\\') {
        out += text_[end];
        continue;
      }
      const char code = ++end < text_.size() ? text_[end] : '\0';
      constexpr std::string_view from = "\"\\nt'%_", to = "\"\\\n\t'";
      const auto known = from.find(code);
      if (code == '\0' || known == std::string::npos)
        fail(end - 1, 2, "in a text in double quotes, \\ begins one of \\\" \\\\ \\n \\t \\% \\_",
             "write \\\\ for a backslash, or use single quotes");
      if (known < to.size())
        out += to[known];
      else  // what `like` gives a meaning to keeps its backslash
        (out += '\\') += code;
    }
    if (end >= text_.size())
      fail(at_, text_.size() - at_, fmt::format("the text has no closing {}", quote));
    return token(Kind::literal, end + 1, {}, FilterText{std::move(out), false});
  }

  FilterToken quoted_key() {
    const auto end = text_.find('`', at_ + 1);
    if (end == std::string::npos) fail(at_, text_.size() - at_, "the key has no closing backquote");
    return token(Kind::key, end + 1, std::string(text_.substr(at_ + 1, end - at_ - 1)));
  }

  FilterToken symbol() {
    for (const std::string_view one : {"<=", ">=", "!=", "<>", "==", "<", ">", "=", "(", ")", ","})
      if (text_.substr(at_).starts_with(one)) {
        const auto* meant = one == "<>" ? "!=" : one == "==" ? "=" : nullptr;
        return token(Kind::symbol, at_ + one.size(), meant ? meant : std::string(one));
      }
    constexpr std::array<std::pair<std::string_view, const char*>, 5> others{{{"&&", "write and"},
                                                                              {"||", "write or"},
                                                                              {"!", "write not"},
                                                                              {"&", "write and"},
                                                                              {"|", "write or"}}};
    for (const auto& [sign, remedy] : others)
      if (text_.substr(at_).starts_with(sign))
        fail(at_, sign.size(), fmt::format("filters have no {}", sign), remedy);
    fail(at_, 1, fmt::format("\"{}\" means nothing here", printable(text_.substr(at_, 1))));
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::vector<FilterToken> tokens_;
};

}  // namespace

std::vector<FilterToken> lex_filter(std::string_view text) {
  return Lexer(text).all();
}

}  // namespace bcx::tracker
