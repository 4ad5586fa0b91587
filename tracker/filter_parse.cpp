#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "tracker/filter.h"
#include "tracker/filter_lexer.h"
#include "tracker/pointed_error.h"

namespace bcx::tracker {
namespace {

using Kind = FilterToken::Kind;

constexpr std::array<std::string_view, 8> reserved{"and",  "or", "not",  "in",
                                                   "like", "is", "null", "between"};
constexpr std::array<std::string_view, 4> functions{"last", "best", "min", "max"};

bool is_reserved(const FilterToken& token) {
  return token.kind == Kind::word &&
         std::find(reserved.begin(), reserved.end(), lower(token.text)) != reserved.end();
}

std::optional<Compare> comparison(const FilterToken& token) {
  constexpr std::array<std::pair<std::string_view, Compare>, 6> all{
      {{"=", Compare::equal},
       {"!=", Compare::unequal},
       {"<", Compare::less},
       {"<=", Compare::less_equal},
       {">", Compare::greater},
       {">=", Compare::greater_equal}}};
  if (token.kind != Kind::symbol) return std::nullopt;
  for (const auto& [sign, meaning] : all)
    if (sign == token.text) return meaning;
  return std::nullopt;
}

bool goes_up(Compare compare) {
  return compare == Compare::less || compare == Compare::less_equal;
}
bool goes_down(Compare compare) {
  return compare == Compare::greater || compare == Compare::greater_equal;
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text), tokens_(lex_filter(text)) {}

  FilterNode all() {
    auto root = any_of(0);
    if (peek().kind != Kind::end)
      fail(peek(), is_symbol(")") ? "this parenthesis was not opened"
                                  : "\"and\" or \"or\" is missing before this");
    return root;
  }

 private:
  const FilterToken& peek(std::size_t ahead = 0) const {
    return tokens_[std::min(at_ + ahead, tokens_.size() - 1)];
  }
  const FilterToken& take() {
    const auto& token = peek();
    at_ = std::min(at_ + 1, tokens_.size() - 1);
    return token;
  }
  bool is_word(std::string_view word, std::size_t ahead = 0) const {
    return peek(ahead).kind == Kind::word && lower(peek(ahead).text) == word;
  }
  bool is_symbol(std::string_view sign, std::size_t ahead = 0) const {
    return peek(ahead).kind == Kind::symbol && peek(ahead).text == sign;
  }
  bool take_word(std::string_view word) { return is_word(word) && (take(), true); }
  bool take_symbol(std::string_view sign) { return is_symbol(sign) && (take(), true); }

  [[noreturn]] void fail(const FilterToken& token, std::string what,
                         std::string remedy = {}) const {
    throw filter_error(text_, token.at, token.length, std::move(what), std::move(remedy));
  }
  [[noreturn]] void fail(const FilterTerm& term, std::string what, std::string remedy = {}) const {
    throw filter_error(text_, term.at, term.length, std::move(what), std::move(remedy));
  }

  /// `one {word one}`: the only one, or a node with all of them.
  template <typename One>
  FilterNode chain(FilterNode::Kind kind, std::string_view word, One one) {
    FilterNode first = one();
    if (!is_word(word)) return first;
    FilterNode node;
    node.kind = kind;
    node.nodes.push_back(std::move(first));
    while (take_word(word)) node.nodes.push_back(one());
    return node;
  }
  FilterNode any_of(int depth) {
    return chain(FilterNode::Kind::any, "or", [&] { return all_of(depth); });
  }
  FilterNode all_of(int depth) {
    return chain(FilterNode::Kind::all, "and", [&] { return negation(depth); });
  }

  FilterNode negation(int depth) {
    if (depth >= deepest_filter)
      fail(peek(), fmt::format("parentheses and nots deeper than {}", deepest_filter));
    if (take_word("not")) {
      FilterNode node;
      node.kind = FilterNode::Kind::negation;
      node.nodes.push_back(negation(depth + 1));
      return node;
    }
    if (!is_symbol("(")) return condition();
    const auto& open = take();
    auto node = any_of(depth + 1);
    if (!take_symbol(")")) {
      if (peek().kind == Kind::end) fail(open, "this parenthesis is not closed");
      fail(peek(), "\"and\", \"or\" or a closing parenthesis is missing before this");
    }
    return node;
  }

  FilterNode condition() {
    auto left = term();
    if (comparison(peek())) return compared(std::move(left));
    const bool negated =
        (is_word("in", 1) || is_word("like", 1) || is_word("between", 1)) && take_word("not");
    FilterNode node;
    node.negated = negated;
    if (take_word("in"))
      node.kind = FilterNode::Kind::in;
    else if (take_word("like"))
      node.kind = FilterNode::Kind::like;
    else if (take_word("between"))
      node.kind = FilterNode::Kind::between;
    else if (take_word("is"))
      return is_what(std::move(left));
    else
      fail(peek(), "a comparison is missing here",
           "one of = != < <= > >=, in, like, between, is null");
    need_key(left);
    node.terms.push_back(std::move(left));
    if (node.kind == FilterNode::Kind::in)
      add_list(node);
    else
      node.terms.push_back(value());
    if (node.kind == FilterNode::Kind::between) {
      if (!take_word("and")) fail(peek(), "\"and\" is missing here", "between 1 and 2");
      node.terms.push_back(value());
    }
    return node;
  }

  /// `a < b`, and the range `a < b < c`.
  FilterNode compared(FilterTerm left) {
    const auto first = *comparison(take());
    auto middle = term();
    FilterNode one = comparison_of(std::move(left), first, middle);
    const auto second = comparison(peek());
    if (!second) return one;
    if (!(goes_up(first) && goes_up(*second)) && !(goes_down(first) && goes_down(*second)))
      fail(peek(), "a range goes one way: 1 < key <= 2, or 2 > key >= 1");
    take();
    FilterNode range;
    range.nodes.push_back(std::move(one));
    range.nodes.push_back(comparison_of(std::move(middle), *second, term()));
    if (comparison(peek())) fail(peek(), "a range has two ends");
    return range;
  }

  FilterNode comparison_of(FilterTerm left, Compare compare, FilterTerm right) const {
    if (left.value && right.value) fail(left, "one side of a comparison must be a key");
    FilterNode node;
    node.kind = FilterNode::Kind::compare;
    node.compare = compare;
    node.terms.push_back(std::move(left));
    node.terms.push_back(std::move(right));
    return node;
  }

  FilterNode is_what(FilterTerm key) {
    need_key(key);
    FilterNode node;
    node.negated = take_word("not");
    if (take_word("null"))
      node.kind = FilterNode::Kind::null;
    else if (take_word("nan"))
      node.kind = FilterNode::Kind::nan;
    else
      fail(peek(), "\"null\" or \"nan\" is missing here", "to compare with a value, write =");
    node.terms.push_back(std::move(key));
    return node;
  }

  void add_list(FilterNode& node) {
    if (!take_symbol("(")) fail(peek(), "a list in parentheses is missing here", "in (1, 2)");
    do node.terms.push_back(value());
    while (take_symbol(","));
    if (!take_symbol(")")) fail(peek(), "a comma or a closing parenthesis is missing here");
  }

  void need_key(const FilterTerm& term) const {
    if (term.value) fail(term, "a key must stand here", "a key is not written in quotes");
  }

  FilterTerm value() {
    auto one = term();
    if (!one.value)
      fail(one, "a value must stand here",
           fmt::format("a text is written in quotes: \"{}\"", printable(one.key)));
    return one;
  }

  FilterTerm term() {
    const auto& token = peek();
    FilterTerm made{token.at, token.length, {}, {}, {}};
    if (is_word("null") || is_word("nan"))
      fail(token, fmt::format("nothing is compared with {}", lower(token.text)),
           fmt::format("write: KEY is {}", lower(token.text)));
    if (token.kind == Kind::end || token.kind == Kind::symbol || is_reserved(token))
      fail(token, "a key or a value is missing here");
    take();
    if (token.kind == Kind::literal)
      made.value = token.value;
    else if (token.kind == Kind::word && is_symbol("("))
      call(token, made);
    else
      made.key = token.text;
    return made;
  }

  /// `best(val.auc)`.
  void call(const FilterToken& name, FilterTerm& made) {
    made.function = lower(name.text);
    if (std::find(functions.begin(), functions.end(), made.function) == functions.end()) {
      const std::vector<std::string> known(functions.begin(), functions.end());
      const auto near = did_you_mean(made.function, known);
      fail(name, fmt::format("there is no function \"{}\"", printable(name.text)),
           near.empty() ? "there are last, best, min and max" : near);
    }
    take();
    const auto& key = take();
    if ((key.kind != Kind::word && key.kind != Kind::key) || is_reserved(key))
      fail(key, fmt::format("{} wants a metric", made.function), made.function + "(val.auc)");
    made.key = key.text;
    const auto end = peek().at + peek().length;
    if (!take_symbol(")")) fail(peek(), "a closing parenthesis is missing here");
    made.length = end - made.at;
  }

  std::string_view text_;
  std::vector<FilterToken> tokens_;
  std::size_t at_ = 0;
};

}  // namespace

Filter parse_filter(std::string_view text) {
  return {std::string(text), Parser(text).all()};
}

Error filter_error(std::string_view text, std::size_t at, std::size_t length, std::string what,
                   std::string remedy) {
  return pointed_error("filter", text, at, length, std::move(what), std::move(remedy));
}

}  // namespace bcx::tracker
