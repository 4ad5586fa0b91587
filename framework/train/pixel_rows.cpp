#include "train/pixel_rows.h"

namespace bcx::train {

void convert_row(const std::uint8_t* source, std::int64_t y, const RowTarget& target) {
  const std::uint8_t* in = source + y * target.size * 3;
  float* out = target.out + y * target.size * 3;
  for (std::int64_t x = 0; x < target.size; ++x)
    convert_pixel(in + 3 * x, target.scale, out + 3 * x);
}

void warp_row(const std::uint8_t* source, std::int64_t height, std::int64_t width,
              const PixelMap& map, std::int64_t y, const RowTarget& target) {
  float* out = target.out + y * target.size * 3;
  const float fy = static_cast<float>(y);
  for (std::int64_t x = 0; x < target.size; ++x)
    warp_pixel(source, height, width, map, static_cast<float>(x), fy, target.scale, out + 3 * x);
}

}  // namespace bcx::train
