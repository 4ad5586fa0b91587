#include "data/scan_pattern.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <regex>

#include "base/error.h"
#include "base/text.h"

namespace bcx::data {
namespace {

constexpr std::size_t max_pattern = 1024, max_text = 4096, max_states = 4096, max_depth = 32;

[[noreturn]] void fail(std::string what, std::string remedy = {}) {
  throw Error(ExitCode::usage, {std::move(what), "data.pattern", std::move(remedy)});
}

// Rewrites named groups as plain ones, remembers which group has which name, and estimates the size
// of the automaton: repeats are unrolled, so `((a{99}){99}){99}` would have a million states.
class Translator {
 public:
  explicit Translator(const std::string& pattern) : in_(pattern) {}

  void run() {
    while (at_ < in_.size()) step();
    if (groups_.size() > 1) fail("a group is not closed");
  }

  std::string out;
  std::vector<std::string> names;
  std::vector<std::size_t> indexes;  // group number of each name

 private:
  struct Group {
    std::size_t total = 0, last = 0;  // states; of the element that a repeat would apply to
  };

  void step() {
    const char c = in_[at_];
    if (c == '\\') {
      escape();
    } else if (c == '[') {
      bracket();
    } else if (c == '(') {
      open();
    } else if (c == ')') {
      close();
    } else if (c == '{') {
      repeat();
    } else {
      if (c != '*' && c != '+' && c != '?' && c != '|') element(1);
      copy(1);
    }
  }

  void copy(std::size_t count) {
    out.append(in_, at_, count);
    at_ += count;
  }

  void element(std::size_t states) {
    groups_.back().last = states;
    grow(states);
  }

  void grow(std::size_t states) {
    groups_.back().total += states;
    if (groups_.back().total > max_states) {
      fail("the expression is too large once its repeats are unrolled", "use smaller counts");
    }
  }

  void escape() {
    if (at_ + 1 >= in_.size()) fail("the expression ends in a single backslash");
    const char next = in_[at_ + 1];
    if ((next >= '1' && next <= '9') || next == 'k') {
      fail("back references are not supported", "write the group's expression again");
    }
    element(1);
    copy(2);
  }

  void bracket() {
    auto end = at_ + 1;
    if (end < in_.size() && in_[end] == '^') ++end;
    if (end < in_.size() && in_[end] == ']') ++end;
    while (end < in_.size() && in_[end] != ']') end += in_[end] == '\\' ? 2 : 1;
    if (end >= in_.size()) fail("a [ is not closed");
    element(1);
    copy(end + 1 - at_);
  }

  void open() {
    if (groups_.size() > max_depth) fail("groups are nested too deeply");
    groups_.push_back({});
    const auto rest = std::string_view(in_).substr(at_);
    const std::size_t prefix = rest.starts_with("(?P<") ? 4 : rest.starts_with("(?<") ? 3 : 0;
    if (prefix > 0) return open_named(prefix);
    if (rest.starts_with("(?")) return copy(std::min<std::size_t>(3, rest.size()));
    ++count_;
    copy(1);
  }

  void open_named(std::size_t prefix) {
    const auto end = in_.find('>', at_);
    const std::string name =
        end == std::string::npos ? std::string() : in_.substr(at_ + prefix, end - at_ - prefix);
    check_name(name);
    names.push_back(name);
    indexes.push_back(++count_);
    out += '(';
    at_ = end + 1;
  }

  void check_name(const std::string& name) const {
    const auto word = [](unsigned char c) { return std::isalnum(c) || c == '_'; };
    if (name.empty() || name.size() > 64 || !std::all_of(name.begin(), name.end(), word) ||
        std::isdigit(static_cast<unsigned char>(name[0]))) {
      fail(fmt::format("\"{}\" is not a group's name", printable(name)),
           "names are letters, digits and _, as in (?<case>\\d+)");
    }
    if (name == "path" || name == "label" || name == "part" || name == "image") {
      fail(fmt::format("a group cannot be called \"{}\"", name), "choose another name");
    }
    if (std::find(names.begin(), names.end(), name) != names.end()) {
      fail(fmt::format("two groups are called \"{}\"", name), "give each its own name");
    }
  }

  void close() {
    if (groups_.size() < 2) fail("a ) without its (");
    const std::size_t inner = groups_.back().total + 2;
    groups_.pop_back();
    element(inner);
    copy(1);
  }

  void repeat() {
    const auto end = in_.find('}', at_);
    if (end == std::string::npos) fail("a { is not closed");
    std::size_t most = 1;
    for (const auto& part : split(std::string_view(in_).substr(at_ + 1, end - at_ - 1), ',')) {
      std::size_t count = 0;
      const auto [stop, error] = std::from_chars(part.data(), part.data() + part.size(), count);
      if (part.empty()) continue;
      if (error != std::errc() || stop != part.data() + part.size() || count > max_states) {
        fail(fmt::format("a repeat of {{{}}} makes no sense",
                         printable(in_.substr(at_ + 1, end - at_ - 1))));
      }
      most = std::max(most, count);
    }
    grow(groups_.back().last * (most - 1));
    groups_.back().last *= most;
    copy(end + 1 - at_);
  }

  const std::string& in_;
  std::size_t at_ = 0, count_ = 0;
  std::vector<Group> groups_{{}};
};

std::string reason(std::regex_constants::error_type code) {
  switch (code) {
    case std::regex_constants::error_brack:
      return "a [ is not closed";
    case std::regex_constants::error_paren:
      return "a repeat with nothing to repeat, or a group of a kind that is not known";
    case std::regex_constants::error_brace:
    case std::regex_constants::error_badbrace:
      return "a bad { } repeat";
    case std::regex_constants::error_range:
      return "a bad range in [ ]";
    case std::regex_constants::error_badrepeat:
      return "a repeat with nothing to repeat";
    case std::regex_constants::error_escape:
      return "a bad escape";
    default:
      return "a regular expression that cannot be used";
  }
}

}  // namespace

struct NamePattern::State {
  std::regex expression;
  std::vector<std::string> names;
  std::vector<std::size_t> indexes;
};

NamePattern::NamePattern(const std::string& pattern) : state_(std::make_unique<State>()) {
  if (pattern.size() > max_pattern) {
    fail(fmt::format("the expression has {} characters, {} are allowed", pattern.size(),
                     max_pattern));
  }
  Translator translator(pattern);
  translator.run();
  if (translator.names.empty()) {
    fail("the expression has no named group", "name what it finds, as in (?<case>\\d+)");
  }
  try {
    // libstdc++'s __polynomial simulates the automaton breadth-first. Its default backtracks: in
    // exponential time for (a+)+b, and on the stack, one frame for each character.
    state_->expression.assign(translator.out,
                              std::regex::ECMAScript | std::regex_constants::__polynomial);
  } catch (const std::regex_error& error) {
    fail(reason(error.code()), "ECMAScript's syntax is expected, with (?<name>...) groups");
  }
  state_->names = std::move(translator.names);
  state_->indexes = std::move(translator.indexes);
}

NamePattern::~NamePattern() = default;
NamePattern::NamePattern(NamePattern&&) noexcept = default;

const std::vector<std::string>& NamePattern::names() const {
  return state_->names;
}

std::optional<std::vector<std::string>> NamePattern::match(std::string_view text) const {
  if (text.size() > max_text) {
    throw Error(ExitCode::data,
                {fmt::format("a path of {} bytes, {} are allowed", text.size(), max_text),
                 printable(text.substr(0, 80)) + "...", ""});
  }
  std::match_results<std::string_view::const_iterator> found;
  if (!std::regex_search(text.begin(), text.end(), found, state_->expression)) return std::nullopt;
  std::vector<std::string> values;
  for (const auto index : state_->indexes) values.push_back(found[index].str());
  return values;
}

}  // namespace bcx::data
