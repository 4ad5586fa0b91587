// PNG (RFC 2083; W3C PNG Third Edition for APNG's acTL).
//
// The walk checks every chunk's bounds and checksum and copies the five kinds that make the
// picture. The decoder never sees the rest: colour profiles that libpng complains about on stderr,
// text, animation.

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "base/text.h"
#include "data/crc32.h"
#include "data/format.h"

namespace bcx::data::format {
namespace {

constexpr std::size_t signature_size = 8;

struct Chunk {
  std::string_view type;
  std::span<const std::byte> content, whole;
};

Chunk chunk_at(const Reader& reader, std::size_t at) {
  const std::uint32_t length = reader.u32(at);
  const auto type = reader.part(at + 4, 4);
  const Chunk chunk{{reinterpret_cast<const char*>(type.data()), 4},
                    reader.part(at + 8, length),
                    reader.part(at, std::size_t{12} + length)};
  if (crc32(chunk.whole.subspan(4, 4 + std::size_t{length})) != reader.u32(at + 8 + length))
    refuse(fmt::format("PNG is damaged: wrong checksum of chunk {} at byte {}",
                       printable(chunk.type), at));
  return chunk;
}

struct ImageHeader {
  std::int64_t width = 0, height = 0;
  int depth = 0, colour = 0;
};

ImageHeader image_header(const Chunk& chunk) {
  if (chunk.type != "IHDR" || chunk.content.size() != 13)
    refuse("PNG is damaged: it does not begin with its header chunk");
  const Reader r(chunk.content, Format::png, true);
  const ImageHeader header{r.u32(0), r.u32(4), r.u8(8), r.u8(9)};
  constexpr std::string_view depths[7] = {"\1\2\4\10\20", "", "\10\20", "\1\2\4\10",
                                          "\10\20",       "", "\10\20"};
  if (header.colour > 6 || depths[header.colour].empty())
    refuse(fmt::format("PNG is damaged: no such colour type, {}", header.colour));
  if (depths[header.colour].find(static_cast<char>(header.depth)) == std::string_view::npos)
    refuse(fmt::format("PNG is damaged: colour type {} has no bit depth {}", header.colour,
                       header.depth));
  if (r.u8(10) != 0 || r.u8(11) != 0 || r.u8(12) > 1)
    refuse("PNG is damaged: no such compression, filter or interlace method");
  return header;
}

// The chunks that make the picture, and the order they need.
class Walk {
 public:
  Walk(const ImageHeader& image, Header& result) : image_(image), result_(result) {}

  void take(const Chunk& chunk) {
    if (chunk.type == "PLTE")
      palette(chunk);
    else if (chunk.type == "IDAT")
      data(chunk);
    else if (chunk.type == "tRNS")
      transparency(chunk);
    else if (chunk.type == "acTL")
      animation(chunk);
    else if (chunk.type == "eXIf")
      result_.orientation = exif_orientation(chunk.content);
    else if (chunk.type == "IEND")
      keep(chunk);
    else if ((chunk.type[0] & 0x20) == 0)
      refuse(fmt::format("PNG is damaged: unknown chunk {}", printable(chunk.type)));
  }

  void finish() const {
    if (!has_data_) refuse("PNG is damaged: it has no pixel data");
  }

 private:
  void keep(const Chunk& chunk) {
    result_.cleaned.insert(result_.cleaned.end(), chunk.whole.begin(), chunk.whole.end());
  }

  void palette(const Chunk& chunk) {
    const std::size_t entries = chunk.content.size() / 3;
    if (chunk.content.size() % 3 != 0 || entries == 0 || entries > 256 || has_data_ ||
        entries_ > 0 || (image_.colour == 3 && entries > std::size_t{1} << image_.depth))
      refuse("PNG is damaged: wrong palette");
    entries_ = entries;
    // A palette in a true-colour picture is a hint for old screens.
    if (image_.colour == 3) keep(chunk);
  }

  void data(const Chunk& chunk) {
    if (image_.colour == 3 && entries_ == 0) refuse("PNG is damaged: it has no palette");
    has_data_ = true;
    keep(chunk);
  }

  void transparency(const Chunk& chunk) {
    const std::size_t size = chunk.content.size();
    const bool right = image_.colour == 0   ? size == 2
                       : image_.colour == 2 ? size == 6
                       : image_.colour == 3 ? size >= 1 && size <= entries_
                                            : false;
    if (!right || has_data_ || transparent_) refuse("PNG is damaged: wrong transparency");
    transparent_ = true;
    result_.notes.emplace_back("alpha");
    if (image_.colour != 0) return keep(chunk);
    // OpenCV drops a grey picture's transparent level; decode_image() looks for it itself.
    const int level = Reader(chunk.content, Format::png, true).u16(0);
    result_.transparent_grey =
        image_.depth < 8 ? (level & ((1 << image_.depth) - 1)) * 255 / ((1 << image_.depth) - 1)
                         : level;
  }

  void animation(const Chunk& chunk) {
    const std::uint32_t frames = Reader(chunk.content, Format::png, true).u32(0);
    if (frames > 1)
      refuse(fmt::format("is an animated PNG of {} frames", frames),
             "save the frame that is meant as a picture of its own");
  }

  const ImageHeader& image_;
  Header& result_;
  std::size_t entries_ = 0;
  bool has_data_ = false, transparent_ = false;
};

void note_kind(const ImageHeader& image, Header& result) {
  if (image.depth == 16) result.notes.emplace_back("16-bit");
  if (image.colour == 0 || image.colour == 4) result.notes.emplace_back("grey");
  if (image.colour == 3) result.notes.emplace_back("palette");
  if (image.colour >= 4) result.notes.emplace_back("alpha");
}

}  // namespace

Header inspect_png(std::span<const std::byte> bytes, const ImageLimits& limits) {
  const Reader reader(bytes, Format::png, true);
  Chunk chunk = chunk_at(reader, signature_size);
  const ImageHeader image = image_header(chunk);
  check_size(image.width, image.height, limits);

  Header result{Format::png, image.width, image.height, 1, {}, {}, {}};
  note_kind(image, result);
  result.cleaned.reserve(bytes.size());
  result.cleaned.assign(bytes.begin(), bytes.begin() + signature_size);
  result.cleaned.insert(result.cleaned.end(), chunk.whole.begin(), chunk.whole.end());
  Walk walk(image, result);
  for (std::size_t at = signature_size + chunk.whole.size(); chunk.type != "IEND";
       at += chunk.whole.size()) {
    chunk = chunk_at(reader, at);
    walk.take(chunk);
  }
  walk.finish();
  return result;
}

}  // namespace bcx::data::format
