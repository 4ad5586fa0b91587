// BMP: Windows' bitmaps without compression.

#include <fmt/format.h>

#include "data/format.h"

namespace bcx::data::format {
namespace {

struct Info {
  std::int64_t width = 0, height = 0;
  int bits = 0;
  std::uint32_t compression = 0;
  std::size_t size = 0;  // of the info header
};

Info info_of(const Reader& r) {
  Info info;
  info.size = r.u32(14);
  if (info.size == 12) {  // OS/2's
    info.width = r.u16(18);
    info.height = r.u16(20);
    info.bits = r.u16(24);
    return info;
  }
  if (info.size < 40 || info.size > 256) refuse("BMP is damaged: no such header");
  info.width = static_cast<std::int32_t>(r.u32(18));
  info.height = static_cast<std::int32_t>(r.u32(22));
  info.height = info.height < 0 ? -info.height : info.height;  // negative: top row first
  info.bits = r.u16(28);
  info.compression = r.u32(30);
  return info;
}

}  // namespace

Header inspect_bmp(std::span<const std::byte> bytes, const ImageLimits& limits) {
  const Reader reader(bytes, Format::bmp, false);
  const Info info = info_of(reader);
  check_size(info.width, info.height, limits);
  constexpr std::uint32_t plain = 0;
  if (info.compression != plain)
    refuse(fmt::format("is a BMP with compression {}", info.compression), "save it as PNG");
  const bool palette = info.bits == 1 || info.bits == 4 || info.bits == 8;
  if (!palette && info.bits != 24 && info.bits != 32)
    refuse(fmt::format("is a BMP of {} bits", info.bits), "save it with 24 bits");
  const std::int64_t row = (info.width * info.bits + 31) / 32 * 4;
  const std::size_t offset = reader.u32(10);
  if (offset < 14 + info.size) refuse("BMP is damaged: pixels inside its header");
  reader.part(offset, static_cast<std::size_t>(row * info.height));

  Header result{Format::bmp, info.width, info.height, 1, {}, {}, {}};
  if (palette) result.notes.emplace_back("palette");
  return result;
}

}  // namespace bcx::data::format
