// Perceptual hashes that lie near each other, without comparing all pairs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

namespace bcx::data {

/// Calls found(i, j, distance), i < j, once for each pair of `hashes` whose Hamming distance is at
/// most `distance` (0 .. 15). Hashes should be unique.
///
/// Banding: the 64 bits are cut into distance + 1 bands; two hashes that differ in `distance` bits
/// agree in at least one band, so only hashes with an equal band are compared. For n hashes that
/// differ well that is about n^2 / 2^(64 / (distance + 1)) comparisons: 100,000 at distance 4 take
/// a few milliseconds. Order of the calls: by band, then by value; the same always.
void each_near_pair(std::span<const std::uint64_t> hashes, int distance,
                    const std::function<void(std::size_t, std::size_t, int)>& found);

}  // namespace bcx::data
