#include "data/images.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/text.h"
#include "data/format.h"
#include "data/images/api.h"
#include "data/read_file.h"

namespace bcx::data {
namespace {

// One sample of a raw picture as 8 bits.
template <typename Sample>
unsigned to_8_bit(Sample v) {
  if constexpr (sizeof(Sample) == 1)
    return v;
  else
    return (static_cast<unsigned>(v) * 255u + 32767u) / 65535u;
}

std::uint8_t on_white(unsigned c, unsigned a) {
  return static_cast<std::uint8_t>((c * a + 255u * (255u - a) + 127u) / 255u);
}

template <typename Sample>
void convert(const images::RawPicture& raw, std::optional<int> transparent, Image& image) {
  const auto* in = reinterpret_cast<const Sample*>(raw.samples.data());
  std::uint8_t* out = image.rgb.data();
  const std::int64_t pixels = raw.height * raw.width;
  for (std::int64_t i = 0; i < pixels; ++i, in += raw.channels, out += 3) {
    if (raw.channels == 1) {
      const bool clear = transparent && static_cast<int>(in[0]) == *transparent;
      out[0] = out[1] = out[2] = clear ? 255 : static_cast<std::uint8_t>(to_8_bit(in[0]));
    } else if (raw.channels == 3) {
      for (int c = 0; c < 3; ++c) out[c] = static_cast<std::uint8_t>(to_8_bit(in[2 - c]));
    } else {
      const unsigned alpha = to_8_bit(in[3]);
      for (int c = 0; c < 3; ++c) out[c] = on_white(to_8_bit(in[2 - c]), alpha);
    }
  }
}

// EXIF's orientations: 2 mirrored, 3 turned by 180 degrees, 4 flipped, 5 transposed, 6 to be turned
// clockwise, 7 transposed across, 8 to be turned counter-clockwise.
Image upright(const Image& image, int orientation) {
  const bool transposed = orientation >= 5;
  Image result(transposed ? image.width : image.height, transposed ? image.height : image.width);
  const bool from_right =
      orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const bool from_below =
      orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  for (std::int64_t y = 0; y < result.height; ++y) {
    for (std::int64_t x = 0; x < result.width; ++x) {
      std::int64_t row = transposed ? x : y, column = transposed ? y : x;
      if (from_below) row = image.height - 1 - row;
      if (from_right) column = image.width - 1 - column;
      std::copy_n(&image.rgb[static_cast<std::size_t>((row * image.width + column) * 3)], 3,
                  &result.rgb[static_cast<std::size_t>((y * result.width + x) * 3)]);
    }
  }
  return result;
}

// "" when the name fits the format, or says none.
std::string name_mismatch(const std::filesystem::path& path, format::Format found) {
  const std::string extension = lower(path.extension().string());
  static constexpr std::pair<std::string_view, format::Format> known[] = {
      {".png", format::Format::png},   {".jpg", format::Format::jpeg},
      {".jpeg", format::Format::jpeg}, {".tif", format::Format::tiff},
      {".tiff", format::Format::tiff}, {".bmp", format::Format::bmp}};
  for (const auto& [name, format] : known)
    if (extension == name && format != found)
      return fmt::format("{} named {}", format::name_of(found), extension);
  return {};
}

DecodedImage decode_inspected(std::span<const std::byte> bytes, format::Header header) {
  images::RawPicture raw;
  const std::span<const std::byte> cleaned(header.cleaned);
  if (!images::api().decode(cleaned.empty() ? bytes : cleaned, raw))
    format::refuse(fmt::format("{} is damaged: its pixel data cannot be decoded",
                               format::name_of(header.format)));
  if (raw.height != header.height || raw.width != header.width ||
      (raw.channels != 1 && raw.channels != 3 && raw.channels != 4))
    format::refuse(fmt::format("{} is damaged: its header and its pixels differ in size",
                               format::name_of(header.format)));
  DecodedImage result;
  result.image = Image(raw.height, raw.width);
  result.stored_height = header.height;
  result.stored_width = header.width;
  if (raw.bits == 8)
    convert<std::uint8_t>(raw, header.transparent_grey, result.image);
  else
    convert<std::uint16_t>(raw, header.transparent_grey, result.image);
  if (header.orientation != 1) {
    result.image = upright(result.image, header.orientation);
    header.notes.push_back(fmt::format("orientation {}", header.orientation));
  }
  result.note = join(header.notes, ", ");
  return result;
}

}  // namespace

DecodedImage decode_image(std::span<const std::byte> bytes, const ImageLimits& limits) {
  return decode_inspected(bytes, format::inspect(bytes, limits));
}

DecodedImage read_image(const std::filesystem::path& path, const ImageLimits& limits) {
  const auto bytes = read_file(path, limits.max_bytes);
  try {
    format::Header header = format::inspect(bytes, limits);
    if (auto mismatch = name_mismatch(path, header.format); !mismatch.empty())
      header.notes.push_back(std::move(mismatch));
    return decode_inspected(bytes, std::move(header));
  } catch (const Error& error) {
    ErrorParts parts = error.parts();
    if (parts.where.empty()) parts.where = printable(path.string());
    throw Error(error.code(), std::move(parts));
  }
}

std::vector<std::byte> encode_png(ImageView image) {
  auto bytes = images::api().encode_png(image);
  if (bytes.empty()) throw Error(ExitCode::other, "the picture cannot be encoded as PNG");
  return bytes;
}

std::vector<std::byte> encode_jpeg(ImageView image, int quality) {
  auto bytes = images::api().encode_jpeg(image, quality);
  if (bytes.empty()) throw Error(ExitCode::other, "the picture cannot be encoded as JPEG");
  return bytes;
}

void write_png(const std::filesystem::path& path, ImageView image) {
  const auto bytes = encode_png(image);
  AtomicFile file(path);
  file.write(bytes);
  file.commit();
}

}  // namespace bcx::data
