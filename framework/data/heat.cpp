#include "data/heat.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace bcx::data {
namespace {

constexpr double strongest = 0.7;  // opacity of the largest value: the tissue stays visible
constexpr std::array<double, 3> low{0, 128, 140}, high{255, 235, 0};

/// The map between its cells' centres; beyond the outermost the nearest.
class Surface {
 public:
  Surface(std::span<const float> map, std::int64_t rows, std::int64_t columns)
      : map_(map), rows_(rows), columns_(columns) {
    for (const float value : map) largest_ = std::max(largest_, value > 0 ? value : 0.0f);
  }
  bool empty() const { return !(largest_ > 0) || !std::isfinite(largest_); }

  /// In [0, 1]. `y` and `x` in [0, 1] from the upper left corner.
  double at(double y, double x) const {
    const auto [row, down] = cell(y, rows_);
    const auto [column, right] = cell(x, columns_);
    const auto below = std::min(row + 1, rows_ - 1), beside = std::min(column + 1, columns_ - 1);
    const double top = value(row, column) * (1 - right) + value(row, beside) * right;
    const double bottom = value(below, column) * (1 - right) + value(below, beside) * right;
    return top * (1 - down) + bottom * down;
  }

 private:
  static std::pair<std::int64_t, double> cell(double at, std::int64_t count) {
    const double place =
        std::clamp(at * static_cast<double>(count) - 0.5, 0.0, static_cast<double>(count - 1));
    const double whole = std::floor(place);
    return {static_cast<std::int64_t>(whole), place - whole};
  }
  double value(std::int64_t row, std::int64_t column) const {
    const float one = map_[static_cast<std::size_t>(row * columns_ + column)];
    return one > 0 ? static_cast<double>(one) / static_cast<double>(largest_) : 0.0;
  }

  std::span<const float> map_;
  std::int64_t rows_, columns_;
  float largest_ = 0;
};

}  // namespace

Image with_heat(ImageView picture, std::span<const float> map, std::int64_t rows,
                std::int64_t columns) {
  Image image(picture.height, picture.width);
  std::copy_n(picture.rgb, picture.bytes(), image.rgb.begin());
  const Surface surface(map, rows, columns);
  if (surface.empty()) return image;
  for (std::int64_t y = 0; y < image.height; ++y)
    for (std::int64_t x = 0; x < image.width; ++x) {
      const double heat =
          surface.at((static_cast<double>(y) + 0.5) / static_cast<double>(image.height),
                     (static_cast<double>(x) + 0.5) / static_cast<double>(image.width));
      auto* pixel = &image.rgb[static_cast<std::size_t>((y * image.width + x) * 3)];
      for (std::size_t c = 0; c < 3; ++c) {
        const double colour = low[c] + (high[c] - low[c]) * heat;
        const double mixed = pixel[c] + (colour - pixel[c]) * strongest * heat;
        pixel[c] = static_cast<std::uint8_t>(std::lround(mixed));
      }
    }
  return image;
}

}  // namespace bcx::data
