#pragma once

#include <cstdint>

#include "train/pixel_kernels.h"

namespace bcx::train {

// One row of an image of the batch, on the CPU: bytes (height x width x 3) to normalised float32,
// size x 3 of them. The arithmetic of a pixel is pixel_kernels.h's, which the GPU's kernel shares.
struct RowTarget {
  float* out;  // of the image: size x size x 3
  std::int64_t size;
  PixelScale scale;
};

// Row y of an image that is used as it lies: size x size pixels.
void convert_row(const std::uint8_t* source, std::int64_t y, const RowTarget& target);

// Row y of the output, each pixel bilinearly from where `map` finds it in the source.
void warp_row(const std::uint8_t* source, std::int64_t height, std::int64_t width,
              const PixelMap& map, std::int64_t y, const RowTarget& target);

}  // namespace bcx::train
