// Inside of make_split(): dealing groups into bins so that every class has its share everywhere.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace bcx::data {

/// A group's images by class: (class, count), count > 0.
using GroupCounts = std::vector<std::pair<int, std::int64_t>>;

struct DealKey {
  std::uint64_t seed = 0;
  std::string_view purpose;
  std::uint64_t epoch = 0;
};

/// Gives each group a bin. `shares` (positive, summing to 1) says what part of each class's images
/// a bin should hold.
///
/// Groups come in a shuffled order and each goes where
///     sum over bins b and classes k of (images[b][k] / total[k] - share[b])^2
/// grows least; then a bin without a class that has as many groups as there are bins is given one.
/// The first deal within five points (0.05) of every share is taken, so that different seeds give
/// different splits; if none of up to 32 is, the best of them.
std::vector<int> deal(const std::vector<GroupCounts>& groups, int classes,
                      const std::vector<double>& shares, const DealKey& key);

}  // namespace bcx::data
