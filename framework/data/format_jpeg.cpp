// JPEG (ITU-T T.81): the walk over its markers, from SOI to EOI.

#include <fmt/format.h>

#include <string_view>

#include "data/format.h"

namespace bcx::data::format {
namespace {

enum Marker : int { soi = 0xD8, eoi = 0xD9, sos = 0xDA, app1 = 0xE1 };

// A progressive picture of a few kilobytes can hold thousands of scans over all its pixels.
constexpr int most_scans = 200;

bool is_restart(int marker) {
  return marker >= 0xD0 && marker <= 0xD7;
}

bool is_frame(int marker) {
  return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
}

class Walk {
 public:
  Walk(std::span<const std::byte> bytes, const ImageLimits& limits)
      : bytes_(bytes), reader_(bytes, Format::jpeg, true), limits_(limits) {}

  Header run() {
    std::size_t at = 2;
    for (int marker = next(at); marker != eoi; marker = next(at)) {
      if (marker == 0x01 || is_restart(marker)) continue;
      const std::size_t length = reader_.u16(at);
      if (length < 2) refuse("JPEG is damaged: a segment without length");
      const auto content = reader_.part(at + 2, length - 2);
      at += length;
      if (is_frame(marker)) frame(marker, content);
      if (marker == app1) exif(content);
      if (marker == sos) scan(at);
    }
    if (scans_ == 0) refuse("JPEG is damaged: it has no pixel data");
    return result_;
  }

 private:
  // The marker at `at`, which moves behind it; fill bytes are skipped.
  int next(std::size_t& at) const {
    if (reader_.u8(at) != 0xFF) refuse(fmt::format("JPEG is damaged: no marker at byte {}", at));
    while (reader_.u8(at) == 0xFF) ++at;
    return reader_.u8(at++);
  }

  void frame(int marker, std::span<const std::byte> content) {
    const Reader r(content, Format::jpeg, true);
    if (result_.width != 0) refuse("JPEG is damaged: it has two frame headers");
    if (marker > 0xC2)
      refuse(fmt::format("is a JPEG of a kind that bcx does not read (SOF{})", marker - 0xC0));
    if (r.u8(0) != 8) refuse(fmt::format("is a JPEG of {} bits", r.u8(0)), "save it with 8 bits");
    const int components = r.u8(5);
    if (components == 4) refuse("is a CMYK JPEG", "convert it to RGB");
    if (components != 1 && components != 3)
      refuse(fmt::format("is a JPEG of {} colours", components), "convert it to RGB");
    check_size(r.u16(3), r.u16(1), limits_);
    result_.format = Format::jpeg;
    result_.height = r.u16(1);
    result_.width = r.u16(3);
    if (components == 1) result_.notes.emplace_back("grey");
  }

  void exif(std::span<const std::byte> content) {
    constexpr std::string_view name("Exif\0\0", 6);
    if (content.size() < name.size()) return;
    const std::string_view start(reinterpret_cast<const char*>(content.data()), name.size());
    if (start == name) result_.orientation = exif_orientation(content.subspan(name.size()));
  }

  // Coded data end at the first marker that is neither a stuffed byte nor a restart.
  void scan(std::size_t& at) {
    if (result_.width == 0) refuse("JPEG is damaged: pixel data before the header");
    if (++scans_ > most_scans) refuse(fmt::format("is a JPEG of more than {} scans", most_scans));
    for (;; ++at) {
      if (at + 1 >= bytes_.size()) refuse("JPEG is truncated: its pixel data have no end");
      if (bytes_[at] != std::byte{0xFF}) continue;
      const int following = std::to_integer<int>(bytes_[at + 1]);
      if (following != 0x00 && following != 0xFF && !is_restart(following)) return;
    }
  }

  std::span<const std::byte> bytes_;
  Reader reader_;
  const ImageLimits& limits_;
  Header result_;
  int scans_ = 0;
};

}  // namespace

Header inspect_jpeg(std::span<const std::byte> bytes, const ImageLimits& limits) {
  return Walk(bytes, limits).run();
}

}  // namespace bcx::data::format
