// The rules of data/images.h, on pictures made byte by byte.
#include <sys/stat.h>

#include <fstream>

#include "base/error.h"
#include "data/format.h"
#include "data/images.h"
#include "make_png.h"
#include "tests/catch.h"

using namespace bcx;
using namespace bcx::data;
using namespace bcx::test;

namespace {

const ImageLimits any_size{.min_side = 1};

std::string error_of(const Bytes& bytes, const ImageLimits& limits = {}) {
  try {
    decode_image(bytes, limits);
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::data);
    return error.what();
  }
  return "no error";
}

std::string error_of(std::string_view text) {
  return error_of(bytes_of(text));
}

std::vector<int> pixel(const DecodedImage& decoded, std::int64_t i) {
  const auto* p = &decoded.image.rgb[static_cast<std::size_t>(i * 3)];
  return {p[0], p[1], p[2]};
}

// One row of 24-bit pixels and more as a BMP, rows padded to four bytes.
std::string bmp(std::int32_t width, std::int32_t height, int bits, std::string_view rows) {
  return "BM" + little(54 + rows.size(), 4) + little(0, 4) + little(54, 4) + little(40, 4) +
         little(static_cast<std::uint32_t>(width), 4) +
         little(static_cast<std::uint32_t>(height), 4) + little(1, 2) +
         little(static_cast<unsigned>(bits), 2) + little(0, 4) + little(rows.size(), 4) +
         little(0, 16) + std::string(rows);
}

struct Entry {
  int tag, type;
  std::uint32_t count, value;
};

// A TIFF of one strip behind the directory; the strip's offset is filled in.
std::string tiff(std::vector<Entry> entries, std::string_view strip, std::uint32_t next = 0) {
  const std::size_t at = 8 + 2 + entries.size() * 12 + 12 + 4;
  entries.push_back({273, 4, 1, static_cast<std::uint32_t>(at)});
  std::string out = "II" + little(42, 2) + little(8, 4) + little(entries.size(), 2);
  for (const auto& e : entries)
    out += little(static_cast<unsigned>(e.tag), 2) + little(static_cast<unsigned>(e.type), 2) +
           little(e.count, 4) + little(e.value, 4);
  return out + little(next, 4) + std::string(strip);
}

std::vector<Entry> grey_page(std::uint32_t width, std::uint32_t height) {
  return {
      {256, 4, 1, width}, {257, 4, 1, height}, {258, 3, 1, 8},      {259, 3, 1, 1},
      {262, 3, 1, 1},     {277, 3, 1, 1},      {278, 4, 1, height}, {279, 4, 1, width * height}};
}

}  // namespace

TEST_CASE("a true-colour PNG keeps its pixels and has no note") {
  Png png{.width = 2, .height = 1, .rows = std::string("\1\2\3\xFA\xFB\xFC", 6)};
  const auto decoded = decode_image(png.bytes(), any_size);
  CHECK(decoded.image.width == 2);
  CHECK(decoded.image.height == 1);
  CHECK(pixel(decoded, 0) == std::vector<int>{1, 2, 3});
  CHECK(pixel(decoded, 1) == std::vector<int>{250, 251, 252});
  CHECK(decoded.note == "");
}

TEST_CASE("16-bit samples are rounded, not cut") {
  const std::uint16_t values[] = {0, 128, 129, 255, 257, 32767, 65406, 65407, 65535};
  Png png{.width = 9, .height = 1, .depth = 16, .colour = 0};
  for (const auto v : values) png.rows += big(v, 2);
  const auto decoded = decode_image(png.bytes(), any_size);
  for (int i = 0; i < 9; ++i)
    CHECK(pixel(decoded, i)[0] == static_cast<int>(std::lround(values[i] / 257.0)));
  CHECK(decoded.note == "16-bit, grey");
}

TEST_CASE("grey levels of 1, 2 and 4 bits span the whole range") {
  for (const int depth : {1, 2, 4}) {
    Png png{.width = static_cast<std::uint32_t>(8 / depth),
            .height = 1,
            .depth = depth,
            .colour = 0,
            .rows = depth == 1   ? "\x55"
                    : depth == 2 ? "\x1B"
                                 : "\x0F"};
    const auto decoded = decode_image(png.bytes(), any_size);
    CHECK(pixel(decoded, 0) == std::vector<int>{0, 0, 0});
    CHECK(pixel(decoded, 8 / depth - 1) == std::vector<int>{255, 255, 255});
  }
}

TEST_CASE("alpha is composed on white") {
  Png png{.width = 3,
          .height = 1,
          .colour = 6,
          .rows = std::string("\x64\x32\x00\xFF"
                              "\x64\x32\x00\x80"
                              "\x64\x32\x00\x00",
                              12)};
  const auto decoded = decode_image(png.bytes(), any_size);
  CHECK(pixel(decoded, 0) == std::vector<int>{100, 50, 0});
  CHECK(pixel(decoded, 1) == std::vector<int>{177, 152, 127});  // round(c * 128/255 + 127)
  CHECK(pixel(decoded, 2) == std::vector<int>{255, 255, 255});
  CHECK(decoded.note == "alpha");
}

TEST_CASE("a transparent palette entry, grey level or colour becomes white") {
  Png palette{.width = 2,
              .height = 1,
              .colour = 3,
              .rows = std::string("\0\1", 2),
              .before = chunk("PLTE", std::string_view("\x0A\x14\x1E\x28\x32\x3C", 6)) +
                        chunk("tRNS", std::string_view("\0", 1))};
  auto decoded = decode_image(palette.bytes(), any_size);
  CHECK(pixel(decoded, 0) == std::vector<int>{255, 255, 255});
  CHECK(pixel(decoded, 1) == std::vector<int>{40, 50, 60});
  CHECK(decoded.note == "palette, alpha");

  Png grey{.width = 2,
           .height = 1,
           .depth = 4,
           .colour = 0,
           .rows = "\x3C",
           .before = chunk("tRNS", std::string_view("\0\3", 2))};
  decoded = decode_image(grey.bytes(), any_size);
  CHECK(pixel(decoded, 0) == std::vector<int>{255, 255, 255});
  CHECK(pixel(decoded, 1) == std::vector<int>{204, 204, 204});

  Png deep{.width = 2,
           .height = 1,
           .depth = 16,
           .colour = 0,
           .rows = std::string("\1\2\1\3", 4),
           .before = chunk("tRNS", std::string_view("\1\2", 2))};
  decoded = decode_image(deep.bytes(), any_size);
  CHECK(pixel(decoded, 0) == std::vector<int>{255, 255, 255});
  CHECK(pixel(decoded, 1) == std::vector<int>{1, 1, 1});

  Png colour{.width = 2,
             .height = 1,
             .rows = std::string("\1\2\3\1\2\4", 6),
             .before = chunk("tRNS", std::string_view("\0\1\0\2\0\3", 6))};
  decoded = decode_image(colour.bytes(), any_size);
  CHECK(pixel(decoded, 0) == std::vector<int>{255, 255, 255});
  CHECK(pixel(decoded, 1) == std::vector<int>{1, 2, 4});
}

TEST_CASE("ancillary chunks change nothing") {
  Png plain{.width = 8, .height = 8, .rows = std::string(192, '\x70')};
  Png rich = plain;
  rich.before = chunk("gAMA", big(45455, 4)) + chunk("iCCP", "broken profile") +
                chunk("tEXt", "a") + chunk("bKGD", std::string_view("\0\1\0\1\0\1", 6));
  CHECK(decode_image(plain.bytes()).image.rgb == decode_image(rich.bytes()).image.rgb);
}

TEST_CASE("orientation turns the picture as viewers do") {
  // Stored: a b / c d / e f
  const std::string rows = std::string("aaabbbcccdddeeefff");
  const char* expected[9] = {"",       "abcdef", "badcfe", "fedcba", "efcdab",
                             "acebdf", "ecafdb", "fdbeca", "bdface"};
  for (int orientation = 1; orientation <= 8; ++orientation) {
    const std::string exif = "II" + little(42, 2) + little(8, 4) + little(1, 2) + little(274, 2) +
                             little(3, 2) + little(1, 4) +
                             little(static_cast<unsigned>(orientation), 4) + little(0, 4);
    Png png{.width = 2, .height = 3, .rows = rows, .before = chunk("eXIf", exif)};
    const auto decoded = decode_image(png.bytes(), any_size);
    std::string seen;
    for (std::size_t i = 0; i < decoded.image.rgb.size(); i += 3)
      seen += static_cast<char>(decoded.image.rgb[i]);
    CHECK(seen == expected[orientation]);
    CHECK(decoded.image.width == (orientation >= 5 ? 3 : 2));
    CHECK(decoded.stored_width == 2);
    CHECK(decoded.stored_height == 3);
  }
}

TEST_CASE("an EXIF block that makes no sense counts as upright") {
  const std::string full = "MM" + big(42, 2) + big(8, 4) + big(1, 2) + big(274, 2) + big(3, 2) +
                           big(1, 4) + big(6, 2) + big(0, 2) + big(0, 4);
  CHECK(format::exif_orientation(bytes_of(full)) == 6);
  for (std::size_t n = 0; n < full.size(); ++n)
    CHECK(format::exif_orientation(bytes_of(full.substr(0, n))) == 1);
  CHECK(format::exif_orientation(bytes_of("II*\0\xFF\xFF\xFF\xFF")) == 1);
}

TEST_CASE("BMP: rows from below, palettes, sizes") {
  const auto decoded =
      decode_image(bytes_of(bmp(1, 2, 24, std::string("\3\2\1\0\6\5\4\0", 8))), any_size);
  CHECK(pixel(decoded, 0) == std::vector<int>{4, 5, 6});
  CHECK(pixel(decoded, 1) == std::vector<int>{1, 2, 3});
  const auto down =
      decode_image(bytes_of(bmp(1, -2, 24, std::string("\3\2\1\0\6\5\4\0", 8))), any_size);
  CHECK(pixel(down, 0) == std::vector<int>{1, 2, 3});
  CHECK(error_of(bmp(8, 8, 24, std::string(191, '\0'))) ==
        "BMP is truncated: 192 bytes are due at 54, the file has 245");
  CHECK(error_of(bmp(8, 8, 16, std::string(128, '\0'))) ==
        "is a BMP of 16 bits; save it with 24 bits");
  CHECK(error_of(bmp(-8, 8, 24, "")) == "has no pixels (-8 x 8)");
  CHECK(error_of(bmp(8, std::numeric_limits<std::int32_t>::min(), 24, "")) ==
        "8 x 2147483648 pixels: more than 20000 on a side; cut it into tiles");
}

TEST_CASE("TIFF: one page of plain pixels") {
  std::string strip(64, '\x20');
  strip[1] = '\x7F';
  const auto decoded = decode_image(bytes_of(tiff(grey_page(8, 8), strip)));
  CHECK(pixel(decoded, 0) == std::vector<int>{32, 32, 32});
  CHECK(pixel(decoded, 1) == std::vector<int>{127, 127, 127});
  CHECK(decoded.note == "grey");

  auto turned = grey_page(8, 8);
  turned.insert(turned.begin() + 5, Entry{274, 3, 1, 3});
  const auto upside_down = decode_image(bytes_of(tiff(turned, strip)));
  CHECK(pixel(upside_down, 62) == std::vector<int>{127, 127, 127});
  CHECK(upside_down.note == "grey, orientation 3");

  CHECK(error_of(tiff(grey_page(8, 8), strip, 8)) ==
        "is a TIFF of several pages; save the page that is meant as a picture of its own");
  CHECK(error_of(tiff(grey_page(8, 8), strip.substr(1))) ==
        "TIFF is truncated: 64 bytes are due at 122, the file has 185");
  auto lying = grey_page(8, 8);
  lying[7].value = 10;
  CHECK(error_of(tiff(lying, strip)) == "TIFF is truncated: it has fewer bytes than pixels");
  auto cmyk = grey_page(8, 8);
  cmyk[4].value = 5;
  CHECK(error_of(tiff(cmyk, strip)) == "is a CMYK TIFF; convert it to RGB");
  auto fax = grey_page(8, 8);
  fax[3].value = 4;
  CHECK(error_of(tiff(fax, strip)) ==
        "is a TIFF with compression 4; save it as an 8-bit RGB picture");
  auto counted = grey_page(8, 8);
  counted[7] = {279, 4, 0xFFFFFFFF, 0};
  CHECK(error_of(tiff(counted, strip)) ==
        "TIFF is truncated: 17179869180 bytes are due at 0, the file has 186");
  for (const std::uint32_t rows : {9u, 16'000'000u, 0xFFFFFFFFu}) {
    auto one_strip = grey_page(8, 8);
    one_strip[6].value = rows;
    CHECK(pixel(decode_image(bytes_of(tiff(one_strip, strip))), 1) ==
          std::vector<int>{127, 127, 127});
  }
  auto signed_rows = grey_page(8, 8);
  signed_rows[6] = {278, 9, 1, 16'000'000};
  CHECK(error_of(tiff(signed_rows, strip)) == "TIFF is damaged: tag 278 has the type 9");
  auto tiled = grey_page(8, 8);
  tiled.push_back({322, 4, 1, 100'000});
  tiled.push_back({323, 4, 1, 100'000});
  CHECK(error_of(tiff(tiled, strip)) ==
        "is a TIFF of tiles of 100000 x 100000 pixels, 67108864 pixels are allowed");
  tiled.pop_back();
  CHECK(error_of(tiff(tiled, strip)) ==
        "is a TIFF of tiles of 100000 x 0 pixels, 67108864 pixels are allowed");
  CHECK(error_of(std::string("II\x2B\0\x08\0\0\0", 8)) ==
        "is a BigTIFF, which bcx does not read; save it as PNG, cut into tiles if it is large");
}

TEST_CASE("what is no picture is refused by its bytes") {
  CHECK(error_of("") == "is empty");
  CHECK(error_of("GIF89a and more") == "is not a PNG, JPEG, TIFF or BMP picture");
  CHECK(error_of("P6 8 8 255 ") == "is not a PNG, JPEG, TIFF or BMP picture");
  CHECK(error_of("push graphic-context") == "is not a PNG, JPEG, TIFF or BMP picture");
}

TEST_CASE("sizes are refused from the header, before anything is decoded") {
  const auto claim = [](std::uint32_t width, std::uint32_t height) {
    return Png{.width = 8, .height = 8}.text().substr(0, 8) +
           Png{.width = width, .height = height}.header();
  };
  CHECK(error_of(claim(60000, 60000)) ==
        "60000 x 60000 pixels: more than 20000 on a side; cut it into tiles");
  CHECK(error_of(claim(20000, 20000)) ==
        "20000 x 20000 pixels: more than 67108864 in all; cut it into tiles");
  CHECK(error_of(claim(0xFFFFFFFF, 0xFFFFFFFF)) ==
        "4294967295 x 4294967295 pixels: more than 20000 on a side; cut it into tiles");
  CHECK(error_of(claim(0, 8)) == "has no pixels (0 x 8)");
  CHECK(error_of(claim(7, 300)) ==
        "7 x 300 pixels: fewer than 8 on a side; leave it out of the data set");
}

TEST_CASE("damaged and animated PNGs are named") {
  const Png png{.width = 8, .height = 8};
  std::string text = png.text();
  CHECK(error_of(text.substr(0, 60)) ==
        "PNG is truncated: 211 bytes are due at 41, the file has 60");
  text[70] = static_cast<char>(text[70] ^ 1);
  CHECK(error_of(text) == "PNG is damaged: wrong checksum of chunk IDAT at byte 33");
  Png animated = png;
  animated.before = chunk("acTL", big(3, 4) + big(0, 4));
  CHECK(error_of(animated.bytes()) ==
        "is an animated PNG of 3 frames; save the frame that is meant as a picture of its own");
  Png still = png;
  still.before = chunk("acTL", big(1, 4) + big(0, 4));
  CHECK(error_of(still.bytes()) == "no error");
  Png unknown = png;
  unknown.before = chunk("ABCD", "x");
  CHECK(error_of(unknown.bytes()) == "PNG is damaged: unknown chunk ABCD");
  const std::string short_data = std::string("\x89PNG\r\n\x1A\n") + png.header() +
                                 chunk("IDAT", stored(std::string(100, '\0'))) + chunk("IEND", "");
  CHECK(error_of(short_data) == "PNG is damaged: its pixel data cannot be decoded");
}

TEST_CASE("read_image names the file and never follows what is not one") {
  TemporaryFolder folder;
  write_file(folder / "a\nb.png", "nonsense");
  try {
    read_image(folder / "a\nb.png");
    FAIL("no error");
  } catch (const Error& error) {
    CHECK(std::string(error.what()) ==
          folder.path().string() + "/a\\nb.png: is not a PNG, JPEG, TIFF or BMP picture");
  }
  CHECK(mkfifo((folder / "pipe.png").c_str(), 0600) == 0);
  CHECK_THROWS_WITH(read_image(folder / "pipe.png"),
                    (folder / "pipe.png").string() + ": is not a file");
  CHECK_THROWS_WITH(read_image(folder.path()), folder.path().string() + ": is not a file");
  CHECK_THROWS_WITH(read_image("/dev/zero"), "/dev/zero: is not a file");
  CHECK_THROWS_WITH(
      read_image(folder / "none.png"),
      (folder / "none.png").string() + ": cannot be opened: No such file or directory");
  write_file(folder / "big.png", Png{}.text());
  CHECK_THROWS_WITH(read_image(folder / "big.png", {.max_bytes = 100}),
                    (folder / "big.png").string() + ": is 268 B, larger than 100 B");

  write_file(folder / "really-png.JPG", Png{}.text());
  CHECK(read_image(folder / "really-png.JPG").note == "PNG named .jpg");
  std::filesystem::create_symlink(folder / "big.png", folder / "link.png");
  CHECK(read_image(folder / "link.png").image.width == 8);
}

TEST_CASE("encode_png gives the pixels back") {
  Image image(9, 13);
  for (std::size_t i = 0; i < image.rgb.size(); ++i)
    image.rgb[i] = static_cast<std::uint8_t>(i * 7);
  const auto bytes = encode_png(image.view());
  CHECK(decode_image(bytes).image.rgb == image.rgb);
  TemporaryFolder folder;
  write_png(folder / "x.png", image.view());
  CHECK(read_image(folder / "x.png").image.rgb == image.rgb);
}
