// Counter-based random numbers: Philox 4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random
// numbers: as easy as 1, 2, 3", SC 2011).
//
// A number is a pure function of (key, counter). Nothing is drawn from a live generator, so the
// thread count, the loader's batch size, the device and the point of a resume cannot change what a
// sample sees.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace bcx {

using PhiloxBlock = std::array<std::uint32_t, 4>;

/// Ten rounds of Philox 4x32 on `counter` under `key`. Known-answer vectors: Random123's kat_vectors.
PhiloxBlock philox4x32(PhiloxBlock counter, std::array<std::uint32_t, 2> key);

/// One stream of numbers: (seed, purpose, epoch, item). `purpose` is a word such as "shuffle" or
/// an augmentation's instance name; `item` is usually a sample id.
///
/// The 256 bits that name the stream are folded into a 64-bit key and the counter's upper half:
/// key = stable hash of (seed, purpose, epoch), counter = (index, item).
class Stream {
 public:
  Stream(std::uint64_t seed, std::string_view purpose, std::uint64_t epoch = 0,
         std::uint64_t item = 0);

  /// The i-th 32-bit word of the stream.
  std::uint32_t word(std::uint64_t index) const;
  /// The i-th uniform number in [0, 1) with 24 random bits: exact in float32 and float64 alike.
  double uniform(std::uint64_t index) const { return (word(index) >> 8) * 0x1.0p-24; }
  /// The i-th uniform integer in [0, bound), unbiased to 2^-32 * bound (multiply-shift). bound > 0.
  std::uint64_t below(std::uint64_t index, std::uint64_t bound) const;
  /// The i-th standard normal number (Box-Muller on words 2i and 2i+1).
  double normal(std::uint64_t index) const;
  /// The Philox key behind (seed, purpose, epoch); the counter is (index / 4, item).
  std::array<std::uint32_t, 2> key() const { return key_; }

 private:
  std::array<std::uint32_t, 2> key_;
  std::uint64_t item_;
};

/// A permutation of 0..n-1: Fisher-Yates, driven by the stream.
std::vector<std::int64_t> permutation(const Stream& stream, std::int64_t n);

}  // namespace bcx
