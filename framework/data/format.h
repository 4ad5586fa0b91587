// What a picture file's header says, read without a decoder: the gate in front of one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "data/images.h"

namespace bcx::data::format {

enum class Format { png, jpeg, tiff, bmp };
std::string_view name_of(Format format);  ///< `PNG`, `JPEG`, `TIFF`, `BMP`

/// By the first bytes; none when they belong to no format that bcx reads.
std::optional<Format> recognise(std::span<const std::byte> bytes);

/// A file that may be decoded: within the limits, whole as far as its structure tells.
struct Header {
  Format format = Format::png;
  std::int64_t width = 0, height = 0;
  int orientation = 1;  ///< EXIF's numbers, 1..8
  std::vector<std::string> notes;
  /// PNG grey level (at the file's bit depth, expanded to 8 bits where it is below 8) that stands
  /// for "transparent".
  std::optional<int> transparent_grey;
  /// What the decoder gets instead of the file: a PNG without the chunks that bcx does not look at,
  /// a TIFF whose orientation tag says 1. Empty: the file itself.
  std::vector<std::byte> cleaned;
};

/// Reads and checks the header and the structure. Throws bcx::Error (data) without a place.
Header inspect(std::span<const std::byte> bytes, const ImageLimits& limits);

// One for each format; inspect() calls them.
Header inspect_png(std::span<const std::byte> bytes, const ImageLimits& limits);
Header inspect_jpeg(std::span<const std::byte> bytes, const ImageLimits& limits);
Header inspect_tiff(std::span<const std::byte> bytes, const ImageLimits& limits);
Header inspect_bmp(std::span<const std::byte> bytes, const ImageLimits& limits);

/// Orientation in an EXIF block (a TIFF stream); 1 when it says none or makes no sense.
int exif_orientation(std::span<const std::byte> block);

/// Throws when sides or pixels are outside the limits.
void check_size(std::int64_t width, std::int64_t height, const ImageLimits& limits);

/// Throws bcx::Error (data).
[[noreturn]] void refuse(std::string what, std::string remedy = {});

/// Integers at checked offsets; reading past the end refuses the file as truncated.
class Reader {
 public:
  Reader(std::span<const std::byte> bytes, Format format, bool big_endian)
      : bytes_(bytes), format_(format), big_endian_(big_endian) {}

  std::uint8_t u8(std::size_t at) const { return std::to_integer<std::uint8_t>(part(at, 1)[0]); }
  std::uint16_t u16(std::size_t at) const;
  std::uint32_t u32(std::size_t at) const;
  /// `length` bytes from `at` on; both may be any number.
  std::span<const std::byte> part(std::size_t at, std::size_t length) const;
  std::size_t size() const { return bytes_.size(); }

 private:
  std::span<const std::byte> bytes_;
  Format format_;
  bool big_endian_;
};

}  // namespace bcx::data::format
