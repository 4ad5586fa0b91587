// Pictures: reading PNG, JPEG, TIFF and BMP into plain RGB, and writing PNG.
//
// Neither OpenCV nor torch shows here. The work is done by libbcx_images.so, which stands beside
// the other libraries and is loaded at the first picture that is read, drawn or written: its
// imgcodecs brings 140 libraries along, and most commands need none of them.
//
// Rules, the same on every split and every machine:
//   format       by the first bytes alone; PNG, JPEG, TIFF and BMP, nothing else. A name that says
//                another format is noted, not refused.
//   limits       sides, pixels and bytes are read from the file's header and checked before a
//                decoder sees it (ImageLimits).
//   truncated    an error: the chunks of a PNG must be whole, their checksums right, and IEND
//                present; a JPEG must reach its EOI marker; strips, tiles and rows of TIFF and BMP
//                must lie inside the file. (JPEG data carry no checksum: a flipped bit within a
//                scan can go unseen, in bcx as in any reader.)
//   animated     an error (APNG with more than one frame, TIFF with more than one page)
//   16-bit       v becomes round(v / 257), so that 0 and 65535 become 0 and 255
//   grey         the value is taken for R, G and B
//   alpha        composed on white: (c * a + 255 * (255 - a)) / 255, rounded. In TIFF: an error
//   palette      looked up; a transparent entry is composed on white
//   CMYK         an error: what the inks look like depends on a profile
//   orientation  EXIF's (or TIFF's) is applied, so that a picture is seen as viewers show it
//   colour space gamma, ICC profiles and background chunks are not looked at
//   tiny         below ImageLimits::min_side: an error
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace bcx::data {

/// Pixels of somebody else: [height, width, 3] uint8 RGB, row-major, contiguous.
struct ImageView {
  const std::uint8_t* rgb = nullptr;
  std::int64_t height = 0, width = 0;
  std::size_t bytes() const { return static_cast<std::size_t>(height * width * 3); }
};

/// A picture that owns its pixels: [height, width, 3] uint8 RGB, row-major, contiguous.
struct Image {
  std::int64_t height = 0, width = 0;
  std::vector<std::uint8_t> rgb;

  Image() = default;
  /// All pixels `fill` (grey level).
  Image(std::int64_t height, std::int64_t width, std::uint8_t fill = 0)
      : height(height), width(width), rgb(static_cast<std::size_t>(height * width * 3), fill) {}
  ImageView view() const { return {rgb.data(), height, width}; }
};

/// What is refused before a decoder is asked.
struct ImageLimits {
  std::int64_t min_side = 8;                ///< pixels
  std::int64_t max_side = 20'000;           ///< pixels
  std::int64_t max_pixels = 64ll << 20;     ///< 200 MB of RGB
  std::uintmax_t max_bytes = 256ull << 20;  ///< of the file
};

/// A picture and what was found on the way.
struct DecodedImage {
  Image image;
  std::int64_t stored_width = 0, stored_height = 0;  ///< as the header says, before orientation
  std::string
      note;  ///< `16-bit, alpha`, `grey`, `palette`, `orientation 6`, `PNG named .jpg`; "" = plain
};

/// Decodes a whole file's bytes. Throws bcx::Error (data) without a place when they are not a
/// picture by the rules above. Any thread, at once.
DecodedImage decode_image(std::span<const std::byte> bytes, const ImageLimits& limits = {});

/// Reads the file into memory (at most max_bytes) and decodes it: a decoder never opens a name.
/// Throws bcx::Error (data) with the path. Any thread, at once.
DecodedImage read_image(const std::filesystem::path& path, const ImageLimits& limits = {});

/// The bytes of an 8-bit RGB PNG file: lossless, the same on every run. Throws bcx::Error.
std::vector<std::byte> encode_png(ImageView image);

/// The bytes of a JPEG file, `quality` 1 to 100: for looking at, never for training. Throws
/// bcx::Error.
std::vector<std::byte> encode_jpeg(ImageView image, int quality = 85);

/// encode_png() as an AtomicFile. Throws bcx::Error (storage) when it cannot be written.
void write_png(const std::filesystem::path& path, ImageView image);

}  // namespace bcx::data
