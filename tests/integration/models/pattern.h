// The picture that make_published_input.py draws.
#pragma once

#include "data/images.h"

namespace bcx::test {

/// Pixel (y, x, c) is (7 y + 13 x + 50 c + x y / 16) % 256.
inline data::Image pattern(std::int64_t height, std::int64_t width) {
  data::Image image(height, width);
  auto* next = image.rgb.data();
  for (std::int64_t y = 0; y < height; ++y)
    for (std::int64_t x = 0; x < width; ++x)
      for (std::int64_t c = 0; c < 3; ++c)
        *next++ = static_cast<std::uint8_t>((7 * y + 13 * x + 50 * c + x * y / 16) % 256);
  return image;
}

}  // namespace bcx::test
