// Many mistakes of one kind, reported together without drowning anybody.
#pragma once

#include <cstddef>
#include <vector>

#include "base/error.h"

namespace bcx::data {

/// Collects errors and keeps the first twenty; throw_if_any() says how many more there were.
class Mistakes {
 public:
  static constexpr std::size_t shown = 20;

  void add(ErrorParts parts);
  std::size_t count() const { return count_; }
  /// Throws ErrorList (data) when something was added.
  void throw_if_any() const;

 private:
  std::vector<Error> first_;
  std::size_t count_ = 0;
};

}  // namespace bcx::data
