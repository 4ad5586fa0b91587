// TIFF 6.0: one page of 8 or 16 bits, strips or tiles; and EXIF's orientation, which is TIFF too.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "data/format.h"

namespace bcx::data::format {
namespace {

enum Tag : int {
  width = 256,
  height = 257,
  bits_per_sample = 258,
  compression = 259,
  photometric = 262,
  strip_offsets = 273,
  orientation = 274,
  samples_per_pixel = 277,
  rows_per_strip = 278,
  strip_bytes = 279,
  planar = 284,
  tile_width = 322,
  tile_length = 323,
  tile_offsets = 324,
  tile_bytes = 325,
  extra_samples = 338,
  sample_format = 339,
};

struct Field {
  std::size_t values_at = 0;  // of the first value
  std::uint32_t count = 0;
  int size = 0;  // of one value in bytes: 1, 2 or 4
};

class Directory {
 public:
  explicit Directory(std::span<const std::byte> bytes)
      : reader_(bytes, Format::tiff, !bytes.empty() && bytes[0] == std::byte{'M'}) {
    if (reader_.u16(2) != 42)
      refuse("is a BigTIFF, which bcx does not read",
             "save it as PNG, cut into tiles if it is large");
    const std::size_t at = reader_.u32(4);
    const std::size_t entries = reader_.u16(at);
    reader_.part(at + 2, entries * 12 + 4);
    for (std::size_t i = 0; i < entries; ++i) add(at + 2 + i * 12);
    next_ = reader_.u32(at + 2 + entries * 12);
  }

  bool has(int tag) const { return fields_.count(tag) > 0; }
  bool more_pages() const { return next_ != 0; }
  const Field* field(int tag) const {
    const auto found = fields_.find(tag);
    return found == fields_.end() ? nullptr : &found->second;
  }
  std::uint32_t value(const Field& field, std::uint32_t i) const {
    const std::size_t at = field.values_at + std::size_t{i} * static_cast<std::size_t>(field.size);
    if (field.size == 1) return reader_.u8(at);
    return field.size == 2 ? reader_.u16(at) : reader_.u32(at);
  }
  std::uint32_t first(int tag, std::uint32_t otherwise) const {
    const Field* found = field(tag);
    return found && found->count > 0 ? value(*found, 0) : otherwise;
  }
  const Reader& reader() const { return reader_; }

 private:
  void add(std::size_t at) {
    const int tag = reader_.u16(at), type = reader_.u16(at + 2);
    const int size = type == 1 ? 1 : type == 3 ? 2 : type == 4 ? 4 : 0;
    if (size == 0) {  // text, fractions: nothing that the picture depends on
      if (tag == rows_per_strip || tag == tile_width || tag == tile_length)
        refuse(fmt::format("TIFF is damaged: tag {} has the type {}", tag, type));
      return;
    }
    Field field{at + 8, reader_.u32(at + 4), size};
    const std::uint64_t bytes = std::uint64_t{field.count} * static_cast<std::uint64_t>(size);
    if (bytes > 4) {
      field.values_at = reader_.u32(at + 8);
      // Only tags that are looked at must lie inside the file; a broken private one is harmless.
      if (known(tag))
        reader_.part(field.values_at, bytes);
      else
        return;
    }
    fields_.emplace(tag, field);
  }

  static bool known(int tag) {
    constexpr std::array tags = {width,         height,        bits_per_sample, compression,
                                 photometric,   strip_offsets, orientation,     samples_per_pixel,
                                 strip_bytes,   planar,        tile_offsets,    tile_bytes,
                                 extra_samples, sample_format, rows_per_strip,  tile_width,
                                 tile_length};
    return std::find(tags.begin(), tags.end(), tag) != tags.end();
  }

  Reader reader_;
  std::map<int, Field> fields_;
  std::uint32_t next_ = 0;
};

// What one page says about its pixels.
struct Page {
  std::uint32_t bits = 1, samples = 1, compression = 1, photometric = 0, planar = 1;
};

Page page_of(const Directory& directory) {
  Page page;
  page.samples = directory.first(samples_per_pixel, 1);
  page.compression = directory.first(compression, 1);
  page.photometric = directory.first(photometric, 0);
  page.planar = directory.first(planar, 1);
  page.bits = directory.first(bits_per_sample, 1);
  if (const Field* all = directory.field(bits_per_sample))
    for (std::uint32_t i = 1; i < std::min<std::uint32_t>(all->count, 16); ++i)
      if (directory.value(*all, i) != page.bits) refuse("is a TIFF whose channels differ in bits");
  return page;
}

void check_kind(const Directory& directory, const Page& page) {
  const char* as_rgb = "save it as an 8-bit RGB picture";
  if (directory.more_pages())
    refuse("is a TIFF of several pages", "save the page that is meant as a picture of its own");
  if (page.photometric == 5) refuse("is a CMYK TIFF", "convert it to RGB");
  const bool grey = page.photometric <= 1, colour = page.photometric == 2 || page.photometric == 6;
  if (!grey && !colour && page.photometric != 3)
    refuse(fmt::format("is a TIFF of colour space {}", page.photometric), as_rgb);
  if (directory.has(extra_samples) || page.samples != (colour ? 3u : 1u))
    refuse(fmt::format("is a TIFF with alpha or extra channels ({} samples a pixel)", page.samples),
           as_rgb);
  const bool bits_known = page.bits == 8 || (page.bits == 1 && grey) ||
                          (page.bits == 16 && (page.photometric == 1 || page.photometric == 2));
  if (!bits_known || directory.first(sample_format, 1) != 1)
    refuse(
        fmt::format("is a TIFF of {} bits a sample, of a kind that bcx does not read", page.bits),
        as_rgb);
  if (page.planar != 1 && page.samples > 1) refuse("is a TIFF with separate colour planes", as_rgb);
  constexpr std::array<std::uint32_t, 6> methods = {1, 5, 7, 8, 32773, 32946};
  if (std::find(methods.begin(), methods.end(), page.compression) == methods.end())
    refuse(fmt::format("is a TIFF with compression {}", page.compression), as_rgb);
}

// Strips or tiles lie inside the file, and an uncompressed picture has all its bytes.
void check_data(const Directory& directory, const Page& page, std::uint64_t pixels) {
  const bool tiled = directory.has(tile_offsets);
  const Field* offsets = directory.field(tiled ? tile_offsets : strip_offsets);
  const Field* sizes = directory.field(tiled ? tile_bytes : strip_bytes);
  if (!offsets || !sizes || offsets->count == 0 || offsets->count != sizes->count)
    refuse("TIFF is damaged: it does not say where its pixels are");
  std::uint64_t total = 0;
  for (std::uint32_t i = 0; i < offsets->count; ++i) {
    const std::uint32_t bytes = directory.value(*sizes, i);
    directory.reader().part(directory.value(*offsets, i), bytes);
    total += bytes;
  }
  if (page.compression == 1 && total < pixels * page.samples * page.bits / 8)
    refuse("TIFF is truncated: it has fewer bytes than pixels");
}

// The decoder makes room for a whole tile, however small the picture.
void check_tiles(const Directory& directory, const ImageLimits& limits) {
  if (!directory.has(tile_width) && !directory.has(tile_length) && !directory.has(tile_offsets))
    return;
  const std::uint64_t across = directory.first(tile_width, 0),
                      down = directory.first(tile_length, 0);
  if (across * down == 0 || across * down > static_cast<std::uint64_t>(limits.max_pixels))
    refuse(fmt::format("is a TIFF of tiles of {} x {} pixels, {} pixels are allowed", across, down,
                       limits.max_pixels));
}

// Another value of a number, which it has room for.
void overwrite(std::span<const std::byte> bytes, const Field& field, std::int64_t value,
               Header& result) {
  if (result.cleaned.empty()) result.cleaned.assign(bytes.begin(), bytes.end());
  const bool big = bytes[0] == std::byte{'M'};
  for (int i = 0; i < field.size; ++i) {
    const int shift = 8 * (big ? field.size - 1 - i : i);
    result.cleaned[field.values_at + static_cast<std::size_t>(i)] =
        static_cast<std::byte>((value >> shift) & 0xFF);
  }
}

void note_kind(const Page& page, Header& result) {
  if (page.bits == 16) result.notes.emplace_back("16-bit");
  if (page.photometric <= 1) result.notes.emplace_back("grey");
  if (page.photometric == 3) result.notes.emplace_back("palette");
}

}  // namespace

Header inspect_tiff(std::span<const std::byte> bytes, const ImageLimits& limits) {
  const Directory directory(bytes);
  Header result{Format::tiff, directory.first(width, 0), directory.first(height, 0), 1, {}, {}, {}};
  check_size(result.width, result.height, limits);
  const Page page = page_of(directory);
  check_kind(directory, page);
  check_tiles(directory, limits);
  check_data(directory, page, static_cast<std::uint64_t>(result.width * result.height));
  note_kind(page, result);
  const Field* turned = directory.field(orientation);
  const auto told = directory.first(orientation, 1);
  if (turned && turned->size == 2 && turned->count == 1 && told >= 2 && told <= 8) {
    // OpenCV would turn it or not, by version and flags: it gets an upright one, and bcx turns.
    result.orientation = static_cast<int>(told);
    overwrite(bytes, *turned, 1, result);
  }
  // "All rows in one strip" is written as any large number, and OpenCV makes room for as many.
  if (const Field* rows = directory.field(rows_per_strip);
      rows && directory.first(rows_per_strip, 0) > static_cast<std::uint64_t>(result.height))
    overwrite(bytes, *rows, result.height, result);
  return result;
}

int exif_orientation(std::span<const std::byte> block) {
  if (recognise(block) != Format::tiff) return 1;
  try {
    const auto told = Directory(block).first(orientation, 1);
    return told >= 1 && told <= 8 ? static_cast<int>(told) : 1;
  } catch (const Error&) {
    return 1;  // a camera's odd EXIF must not cost the picture
  }
}

}  // namespace bcx::data::format
