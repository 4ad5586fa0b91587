// What libbcx_images.so offers to the rest of bcx: a table of functions, so that one symbol is
// looked up and nothing of OpenCV shows. Both sides come from one build; `version` guards against a
// stray library of another one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "data/images.h"
#include "data/images/tissue.h"
#include "data/resize.h"

namespace bcx::data::images {

inline constexpr int api_version = 3;

/// Pixels as a decoder gives them: grey, BGR or BGRA; 8 or 16 bits; rows without padding.
struct RawPicture {
  std::int64_t height = 0, width = 0;
  int channels = 0;  ///< 1, 3, 4
  int bits = 0;      ///< 8, 16 (native byte order)
  std::vector<std::byte> samples;
};

/// Functions throw nothing but std::bad_alloc and std::exception; all may be called from several
/// threads at once.
struct Api {
  int version = api_version;
  /// False when the decoder gives up on the bytes. The orientation is left alone.
  bool (*decode)(std::span<const std::byte> bytes, RawPicture& picture);
  std::vector<std::byte> (*encode_png)(ImageView image);
  /// `quality` 1 to 100.
  std::vector<std::byte> (*encode_jpeg)(ImageView image, int quality);
  /// Any size to [height, width, 3] at `target`.
  void (*resize)(ImageView image, std::uint8_t* target, std::int64_t height, std::int64_t width,
                 Interpolation how);
  /// Draws ASCII text in dark grey, `height` pixels high, its lower left corner at (x, y); cut at
  /// the picture's border.
  void (*draw_text)(Image& image, std::int64_t x, std::int64_t y, const std::string& text,
                    double height);
  /// Columns that draw_text() would take.
  std::int64_t (*text_width)(const std::string& text, double height);
  /// draw_tissue() of tissue.h.
  Image (*draw_tissue)(const Tissue& tissue, int width, int height, const Stream& stream);
};

/// The loaded library's table; loads it at the first call (then stays: OpenCV's thread pools do not
/// survive an unload). Throws bcx::Error (other) when libbcx_images.so is missing or broken, with
/// the remedy of packed data. Any thread.
const Api& api();

}  // namespace bcx::data::images

/// The one symbol that libbcx_images.so exports.
extern "C" const bcx::data::images::Api* bcx_images_api();
