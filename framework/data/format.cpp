#include "data/format.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace bcx::data::format {
namespace {

bool starts_with(std::span<const std::byte> bytes, std::string_view magic) {
  return bytes.size() >= magic.size() &&
         std::equal(magic.begin(), magic.end(), bytes.begin(),
                    [](char m, std::byte b) { return static_cast<std::byte>(m) == b; });
}

}  // namespace

std::string_view name_of(Format format) {
  constexpr std::array<std::string_view, 4> names = {"PNG", "JPEG", "TIFF", "BMP"};
  return names[static_cast<std::size_t>(format)];
}

std::optional<Format> recognise(std::span<const std::byte> bytes) {
  using namespace std::string_view_literals;
  if (starts_with(bytes, "\x89PNG\r\n\x1A\n"sv)) return Format::png;
  if (starts_with(bytes, "\xFF\xD8\xFF"sv)) return Format::jpeg;
  // 42 is TIFF, 43 BigTIFF, which inspect_tiff() refuses by name.
  for (const auto magic : {"II\x2A\0"sv, "MM\0\x2A"sv, "II\x2B\0"sv, "MM\0\x2B"sv})
    if (starts_with(bytes, magic)) return Format::tiff;
  if (starts_with(bytes, "BM"sv)) return Format::bmp;
  return std::nullopt;
}

Header inspect(std::span<const std::byte> bytes, const ImageLimits& limits) {
  if (bytes.empty()) refuse("is empty");
  const auto format = recognise(bytes);
  if (!format) refuse("is not a PNG, JPEG, TIFF or BMP picture");
  switch (*format) {
    case Format::png:
      return inspect_png(bytes, limits);
    case Format::jpeg:
      return inspect_jpeg(bytes, limits);
    case Format::tiff:
      return inspect_tiff(bytes, limits);
    case Format::bmp:
      return inspect_bmp(bytes, limits);
  }
  refuse("is not a PNG, JPEG, TIFF or BMP picture");
}

void check_size(std::int64_t width, std::int64_t height, const ImageLimits& limits) {
  if (width <= 0 || height <= 0) refuse(fmt::format("has no pixels ({} x {})", width, height));
  if (std::max(width, height) > limits.max_side)
    refuse(fmt::format("{} x {} pixels: more than {} on a side", width, height, limits.max_side),
           "cut it into tiles");
  if (width * height > limits.max_pixels)
    refuse(fmt::format("{} x {} pixels: more than {} in all", width, height, limits.max_pixels),
           "cut it into tiles");
  if (std::min(width, height) < limits.min_side)
    refuse(fmt::format("{} x {} pixels: fewer than {} on a side", width, height, limits.min_side),
           "leave it out of the data set");
}

void refuse(std::string what, std::string remedy) {
  throw Error(ExitCode::data, {std::move(what), {}, std::move(remedy)});
}

std::span<const std::byte> Reader::part(std::size_t at, std::size_t length) const {
  if (at > bytes_.size() || length > bytes_.size() - at)
    refuse(fmt::format("{} is truncated: {} bytes are due at {}, the file has {}", name_of(format_),
                       length, at, bytes_.size()));
  return bytes_.subspan(at, length);
}

std::uint16_t Reader::u16(std::size_t at) const {
  const auto p = part(at, 2);
  const unsigned a = std::to_integer<unsigned>(p[0]), b = std::to_integer<unsigned>(p[1]);
  return static_cast<std::uint16_t>(big_endian_ ? a << 8 | b : b << 8 | a);
}

std::uint32_t Reader::u32(std::size_t at) const {
  part(at, 4);
  const std::uint32_t a = u16(at), b = u16(at + 2);
  return big_endian_ ? a << 16 | b : b << 16 | a;
}

}  // namespace bcx::data::format
