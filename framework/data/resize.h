// From a picture of any size to the square that the model sees, and the hashes that the audit uses.
#pragma once

#include <cstdint>
#include <string_view>

#include "data/images.h"

namespace bcx::data {

/// How a picture becomes a square of side `size`.
enum class ResizeRule {
  stretch,  ///< both sides scaled to `size`, whatever the aspect
  fit,      ///< the longer side scaled to `size`, the rest filled with white (the slide's own
            ///< background under the microscope), the picture centred
  crop,     ///< the centre square, as large as the shorter side, scaled to `size`
};
/// How pixels are weighed. `area` averages what a target pixel covers, and is linear when
/// enlarging.
enum class Interpolation { area, linear, cubic, nearest };

/// By the experiment file's words; throws bcx::Error (usage) for others.
ResizeRule resize_rule(std::string_view word);
Interpolation interpolation(std::string_view word);

/// [size, size, 3]. size > 0; the picture has at least one pixel. Through OpenCV's imgproc, one
/// thread; a picture that has the size already is copied. Any thread, at once.
Image resize_square(ImageView image, std::int64_t size, ResizeRule rule, Interpolation how);

/// 64 bits of the pixels and their size; pictures with equal hashes are taken to be the same. Not
/// for use against an adversary.
std::uint64_t pixel_hash(ImageView image);

/// 64-bit perceptual hash of the luminance: averaged to 32x32, two-dimensional DCT-II, the 8x8
/// lowest frequencies without the constant column and row (u, v = 1..8), bit set where above their
/// median (pHash: Zauner, "Implementation and benchmarking of perceptual image hash functions",
/// 2010). Pictures that look alike differ in few bits; a one-colour picture gives 0.
std::uint64_t perceptual_hash(ImageView image);

}  // namespace bcx::data
