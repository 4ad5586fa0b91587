// The two hashes of resize.h: plain C++, no decoder or OpenCV, so that they are the same
// everywhere.

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <numbers>

#include "data/resize.h"

namespace bcx::data {
namespace {

constexpr int grid = 32, low = 8;
using Grid = std::array<std::array<double, grid>, grid>;

std::uint64_t mix(std::uint64_t h, std::uint64_t word) {
  h = (h ^ word) * 0x9E3779B97F4A7C15ull;
  return h ^ (h >> 32);
}

// Sums of luminance (Rec. 601) over grid cells; a pixel on a border is shared by the part of it
// that lies in each cell, so that any size works, smaller than the grid too.
struct Share {
  int cell;
  double part;
};

// Where pixel `i` of `n` goes along one axis: at most grid + 1 shares when it is enlarged.
template <typename Take>
void shares_of(std::int64_t i, std::int64_t n, Take take) {
  const double scale = static_cast<double>(grid) / static_cast<double>(n);
  const double begin = static_cast<double>(i) * scale, end = static_cast<double>(i + 1) * scale;
  for (int cell = static_cast<int>(begin); cell < grid && cell < end; ++cell) {
    const double part = std::min(end, cell + 1.0) - std::max(begin, static_cast<double>(cell));
    if (part > 0) take(Share{cell, part});
  }
}

// Mean luminance of each cell, in 0..255.
Grid averaged(ImageView image) {
  Grid cells{};
  std::vector<double> columns(grid);
  std::vector<std::pair<std::int64_t, Share>> across;
  for (std::int64_t x = 0; x < image.width; ++x)
    shares_of(x, image.width, [&](Share s) { across.emplace_back(x, s); });
  for (std::int64_t y = 0; y < image.height; ++y) {
    std::fill(columns.begin(), columns.end(), 0.0);
    const std::uint8_t* row = image.rgb + y * image.width * 3;
    for (const auto& [x, share] : across) {
      const std::uint8_t* p = row + x * 3;
      const int luminance = 299 * p[0] + 587 * p[1] + 114 * p[2];
      columns[static_cast<std::size_t>(share.cell)] += share.part * luminance;
    }
    shares_of(y, image.height, [&](Share s) {
      for (std::size_t c = 0; c < grid; ++c)
        cells[static_cast<std::size_t>(s.cell)][c] += s.part * columns[c] / 1000.0;
    });
  }
  return cells;
}

// Coefficients u, v = 1..8 of the DCT-II, unnormalised.
std::array<double, low * low> low_frequencies(const Grid& cells) {
  std::array<std::array<double, grid>, low> cosine{}, rows{};
  for (std::size_t u = 0; u < low; ++u)
    for (std::size_t i = 0; i < grid; ++i)
      cosine[u][i] = std::cos(std::numbers::pi * (2.0 * static_cast<double>(i) + 1.0) *
                              static_cast<double>(u + 1) / (2.0 * grid));
  for (std::size_t v = 0; v < low; ++v)
    for (std::size_t y = 0; y < grid; ++y)
      for (std::size_t x = 0; x < grid; ++x) rows[v][y] += cosine[v][x] * cells[y][x];
  std::array<double, low * low> result{};
  for (std::size_t u = 0; u < low; ++u)
    for (std::size_t v = 0; v < low; ++v)
      for (std::size_t y = 0; y < grid; ++y) result[u * low + v] += cosine[u][y] * rows[v][y];
  return result;
}

}  // namespace

std::uint64_t pixel_hash(ImageView image) {
  std::uint64_t h = mix(mix(0xCBF29CE484222325ull, static_cast<std::uint64_t>(image.height)),
                        static_cast<std::uint64_t>(image.width));
  const std::uint8_t* p = image.rgb;
  std::size_t left = image.bytes();
  for (; left >= 8; p += 8, left -= 8) {
    std::uint64_t word;
    std::memcpy(&word, p, 8);
    static_assert(std::endian::native == std::endian::little);
    h = mix(h, word);
  }
  for (; left > 0; ++p, --left) h = mix(h, *p);
  return mix(h, 0);
}

std::uint64_t perceptual_hash(ImageView image) {
  const auto frequencies = low_frequencies(averaged(image));
  auto sorted = frequencies;
  std::nth_element(sorted.begin(), sorted.begin() + low * low / 2, sorted.end());
  const double upper = sorted[low * low / 2];
  const double lower = *std::max_element(sorted.begin(), sorted.begin() + low * low / 2);
  // Sums of a flat picture are zero but for rounding, which must not set bits.
  constexpr double noise = 1e-6;
  const double median = (upper + lower) / 2 + noise;
  std::uint64_t hash = 0;
  for (std::size_t i = 0; i < frequencies.size(); ++i)
    if (frequencies[i] > median) hash |= std::uint64_t{1} << i;
  return hash;
}

}  // namespace bcx::data
