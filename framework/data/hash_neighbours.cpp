#include "data/hash_neighbours.h"

#include <algorithm>
#include <bit>
#include <numeric>
#include <vector>

#include "base/signals.h"

namespace bcx::data {
namespace {

struct Band {
  int shift, bits;
  std::uint64_t of(std::uint64_t hash) const {
    return (hash >> shift) & ((bits == 64 ? 0 : std::uint64_t{1} << bits) - 1);
  }
};

std::vector<Band> cut_into_bands(int count) {
  std::vector<Band> bands;
  for (int i = 0; i < count; ++i) {
    const int begin = 64 * i / count, end = 64 * (i + 1) / count;
    bands.push_back({begin, end - begin});
  }
  return bands;
}

}  // namespace

void each_near_pair(std::span<const std::uint64_t> hashes, int distance,
                    const std::function<void(std::size_t, std::size_t, int)>& found) {
  const auto bands = cut_into_bands(distance + 1);
  // A pair that agrees in several bands is told at the first of them.
  const auto agreed_before = [&](std::uint64_t difference, std::size_t band) {
    return std::any_of(bands.begin(), bands.begin() + static_cast<std::ptrdiff_t>(band),
                       [&](const Band& earlier) { return earlier.of(difference) == 0; });
  };
  std::vector<std::size_t> order(hashes.size());
  for (std::size_t b = 0; b < bands.size(); ++b) {
    const Band band = bands[b];
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t i, std::size_t j) {
      return band.of(hashes[i]) < band.of(hashes[j]);
    });
    for (std::size_t begin = 0, end = 0; begin < order.size(); begin = end) {
      throw_if_stopped("audit");
      while (end < order.size() && band.of(hashes[order[end]]) == band.of(hashes[order[begin]])) {
        ++end;
      }
      for (std::size_t x = begin; x < end; ++x) {
        for (std::size_t y = x + 1; y < end; ++y) {
          const std::uint64_t difference = hashes[order[x]] ^ hashes[order[y]];
          const int bits = std::popcount(difference);
          if (bits <= distance && !agreed_before(difference, b)) found(order[x], order[y], bits);
        }
      }
    }
  }
}

}  // namespace bcx::data
