#include "config/document_guard.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/text.h"

namespace bcx::config {
namespace {

bool is_token(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         c == '+' || c == '-';
}

class Guard {
 public:
  Guard(std::string_view text, const std::string& name, const DocumentLimits& limits)
      : text_(text), name_(name), limits_(limits) {}

  void run() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '#') {
        skip_comment();
      } else if (c == '"' || c == '\'') {
        skip_string(c);
      } else if (is_token(c)) {
        skip_token();
      } else if (c & 0x80 && !at_byte_order_mark()) {
        fail("not TOML: a character that has to stand in quotes");
      } else {
        structure(c);
        advance();
      }
    }
  }

 private:
  bool at_byte_order_mark() const { return at_ < 3 && text_.starts_with("\xEF\xBB\xBF"); }

  void advance() {
    if (text_[at_] == '\n') {
      ++line_;
      column_ = 1;
    } else if ((static_cast<unsigned char>(text_[at_]) & 0xC0) != 0x80) {
      ++column_;  // columns count code points, as toml++ does
    }
    ++at_;
  }

  void skip_comment() {
    while (at_ < text_.size() && text_[at_] != '\n') advance();
  }

  void skip_string(char quote) {
    const std::string triple(3, quote);
    const bool multiline = text_.substr(at_, 3) == triple;
    for (int i = 0; i < (multiline ? 3 : 1); ++i) advance();
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (!multiline && c == '\n') return;  // the parser will say what is wrong
      if (multiline ? text_.substr(at_, 3) == triple : c == quote) break;
      if (c == '\\' && quote == '"' && at_ + 1 < text_.size()) advance();
      advance();
    }
    // A string over lines may end in one or two quotes of its own: `"""x"""""` holds x"".
    for (int i = 0; i < (multiline ? 5 : 1) && at_ < text_.size(); ++i) {
      if (text_[at_] != quote) break;
      advance();
    }
  }

  void skip_token() {
    const char first = text_[at_];
    const bool number = (first >= '0' && first <= '9') || first == '+' || first == '-';
    int digits = 0;
    while (at_ < text_.size() && is_token(text_[at_])) {
      if (number && ++digits > limits_.digits)
        fail(fmt::format("a number of more than {} digits", limits_.digits));
      advance();
    }
  }

  void structure(char c) {
    if (c == '[' && brackets_ == 0 && begins_line()) check_header();
    if (c == '[' || c == '{') {
      if (++brackets_ > limits_.depth)
        fail(fmt::format("brackets nested more than {} deep", limits_.depth));
      if (brackets_ == 1) count_key();
    } else if (c == ']' || c == '}') {
      brackets_ -= brackets_ > 0;
    } else if (c == '=') {
      count_key();
    } else if (c == ',' && ++values_ > limits_.values) {
      fail(fmt::format("more than {} values in lists", grouped(limits_.values)));
    } else if (c == '.' && ++dots_ >= limits_.depth) {
      fail(fmt::format("a dotted key of more than {} parts", limits_.depth));
    }
    if (c == '\n' || c == '=' || c == ',' || c == '[' || c == '{') dots_ = 0;
  }

  bool begins_line() const {
    const auto before = text_.substr(0, at_);
    const auto last = before.find_last_not_of(" \t");
    return last == before.npos || before[last] == '\n' ||
           before.substr(0, last + 1) == "\xEF\xBB\xBF";
  }

  /// A name follows the `[` or `[[` of a header. An empty header is left to the parser.
  void check_header() const {
    auto rest = text_.substr(at_ + 1);
    if (rest.starts_with('[')) rest.remove_prefix(1);
    rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
    if (rest.empty() || std::string_view("]\"'").find(rest[0]) != std::string_view::npos) return;
    if (!is_token(rest[0]) || rest[0] == '+') fail("not TOML: a header without a name");
  }

  void count_key() {
    if (++keys_ > limits_.keys) fail(fmt::format("more than {} keys", grouped(limits_.keys)));
  }

  [[noreturn]] void fail(std::string what) const {
    throw Error(ExitCode::usage,
                {std::move(what), fmt::format("{}:{}:{}", printable(name_), line_, column_), ""});
  }

  std::string_view text_;
  const std::string& name_;
  const DocumentLimits& limits_;
  std::size_t at_ = 0;
  int line_ = 1, column_ = 1;
  int brackets_ = 0, dots_ = 0, keys_ = 0, values_ = 0;
};

}  // namespace

void guard_document(std::string_view text, const std::string& name, const DocumentLimits& limits) {
  if (text.size() > limits.bytes)
    throw Error(ExitCode::usage, {fmt::format("larger than {}", human_bytes(limits.bytes)),
                                  printable(name), "an experiment file is a page of text"});
  Guard(text, name, limits).run();
}

}  // namespace bcx::config
