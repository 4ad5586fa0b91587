#include "data/hash_neighbours.h"

#include <bit>
#include <set>
#include <vector>

#include "base/philox.h"
#include "tests/catch.h"

using namespace bcx;
using namespace bcx::data;

namespace {

using Pairs = std::multiset<std::tuple<std::size_t, std::size_t, int>>;

Pairs banded(const std::vector<std::uint64_t>& hashes, int distance) {
  Pairs pairs;
  each_near_pair(hashes, distance, [&](std::size_t i, std::size_t j, int bits) {
    pairs.insert({i, j, bits});
  });
  return pairs;
}

std::uint64_t random_hash(const Stream& stream, std::uint64_t i) {
  return std::uint64_t{stream.word(2 * i)} << 32 | stream.word(2 * i + 1);
}

}  // namespace

TEST_CASE("banding finds the pairs that comparing all finds, each once") {
  for (const int distance : {0, 1, 4, 7, 15}) {
    const Stream stream(static_cast<std::uint64_t>(distance), "test");
    std::vector<std::uint64_t> hashes;
    for (std::uint64_t i = 0; i < 60; ++i) {
      const auto base = random_hash(stream, i);
      hashes.push_back(base);
      for (std::uint64_t bits = 1; bits < 6; ++bits) {  // neighbours at known distances
        auto near = base;
        for (std::uint64_t b = 0; b < bits * 2; ++b) {
          near ^= std::uint64_t{1} << stream.below(1000 + 60 * i + 10 * bits + b, 64);
        }
        hashes.push_back(near);
      }
    }
    Pairs expected;
    for (std::size_t i = 0; i < hashes.size(); ++i) {
      for (std::size_t j = i + 1; j < hashes.size(); ++j) {
        const int bits = std::popcount(hashes[i] ^ hashes[j]);
        if (bits <= distance) expected.insert({i, j, bits});
      }
    }
    CHECK(banded(hashes, distance) == expected);
  }
}

TEST_CASE("100,000 hashes are compared without comparing all pairs") {
  const Stream stream(1, "test");
  std::vector<std::uint64_t> hashes;
  for (std::uint64_t i = 0; i < 100'000; ++i) hashes.push_back(random_hash(stream, i));
  hashes.push_back(hashes[5] ^ 0b1011);
  CHECK(banded(hashes, 4) == Pairs{{5, 100'000, 3}});
}
