// A regular expression with named groups that turns names into attributes.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bcx::data {

/// `data.pattern`: ECMAScript's regular expressions (std::regex) with named groups, `(?<case>\d+)`
/// or `(?P<case>\d+)`. It is searched for in the path below the root, anywhere unless anchored.
///
/// Matching never explodes: the automaton is simulated breadth-first, in time proportional to the
/// text for a given pattern, and back references, which would need backtracking, are refused.
/// Immutable, so matching is safe from several threads.
class NamePattern {
 public:
  /// Throws bcx::Error (usage) for a bad expression, one without named groups, a name used twice,
  /// a name that is no identifier or is `path`, `label` or `part`, or more than 1,024 characters.
  explicit NamePattern(const std::string& pattern);
  ~NamePattern();
  NamePattern(NamePattern&&) noexcept;

  const std::vector<std::string>& names() const;
  /// Values of the named groups, aligned with names(), "" where a group took no part; none when
  /// `text` does not match. Throws bcx::Error (data) for a text longer than 4,096 bytes.
  std::optional<std::vector<std::string>> match(std::string_view text) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace bcx::data
