#include "base/philox.h"

#include <cmath>
#include <numbers>
#include <numeric>
#include <string>

#include "base/hash.h"

namespace bcx {

__extension__ typedef unsigned __int128 Wide;

PhiloxBlock philox4x32(PhiloxBlock c, std::array<std::uint32_t, 2> k) {
  constexpr std::uint64_t m0 = 0xD2511F53u, m1 = 0xCD9E8D57u;
  constexpr std::uint32_t w0 = 0x9E3779B9u, w1 = 0xBB67AE85u;
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = m0 * c[0], p1 = m1 * c[2];
    c = {static_cast<std::uint32_t>(p1 >> 32) ^ c[1] ^ k[0], static_cast<std::uint32_t>(p1),
         static_cast<std::uint32_t>(p0 >> 32) ^ c[3] ^ k[1], static_cast<std::uint32_t>(p0)};
    k = {k[0] + w0, k[1] + w1};
  }
  return c;
}

Stream::Stream(std::uint64_t seed, std::string_view purpose, std::uint64_t epoch,
               std::uint64_t item)
    : item_(item) {
  const std::uint64_t key = stable_hash(std::to_string(seed) + '/' + std::string(purpose) + '/' +
                                        std::to_string(epoch));
  key_ = {static_cast<std::uint32_t>(key), static_cast<std::uint32_t>(key >> 32)};
}

std::uint32_t Stream::word(std::uint64_t index) const {
  const std::uint64_t block = index / 4;
  return philox4x32({static_cast<std::uint32_t>(block), static_cast<std::uint32_t>(block >> 32),
                     static_cast<std::uint32_t>(item_), static_cast<std::uint32_t>(item_ >> 32)},
                    key_)[index % 4];
}

std::uint64_t Stream::below(std::uint64_t index, std::uint64_t bound) const {
  const std::uint64_t wide = (static_cast<std::uint64_t>(word(2 * index)) << 32) | word(2 * index + 1);
  return static_cast<std::uint64_t>((static_cast<Wide>(wide) * bound) >> 64);
}

double Stream::normal(std::uint64_t index) const {
  const double u = 1.0 - uniform(2 * index), v = uniform(2 * index + 1);
  return std::sqrt(-2.0 * std::log(u)) * std::cos(2.0 * std::numbers::pi * v);
}

std::vector<std::int64_t> permutation(const Stream& stream, std::int64_t n) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  for (std::int64_t i = n - 1; i > 0; --i) {
    const auto j = stream.below(static_cast<std::uint64_t>(i), static_cast<std::uint64_t>(i) + 1);
    std::swap(order[static_cast<std::size_t>(i)], order[j]);
  }
  return order;
}

}  // namespace bcx
