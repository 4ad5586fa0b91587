// A map of numbers laid over a picture.
#pragma once

#include <cstdint>
#include <span>

#include "data/images.h"

namespace bcx::data {

/// The picture with `map` [rows, columns] over it: values at least 0, scaled by their largest,
/// spread over the picture bilinearly (the map's cells tile it). Where the map is 0 the picture
/// stays as it is; where it is largest there is bright yellow. Teal to yellow: told apart without
/// red and green, and neither is a colour of H&E. A map without anything above 0 leaves the
/// picture. Not a number counts as 0.
Image with_heat(ImageView picture, std::span<const float> map, std::int64_t rows,
                std::int64_t columns);

}  // namespace bcx::data
