// Willem van Schaik's PngSuite: every valid file decodes to what its header says, every broken one
// is named.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "base/error.h"
#include "data/images.h"
#include "tests/catch.h"

using namespace bcx;
using namespace bcx::data;
using namespace bcx::test;

namespace fs = std::filesystem;

namespace {

// The suite's smallest pictures are 1 x 1.
const ImageLimits any_size{.min_side = 1};

std::vector<fs::path> suite() {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(shared_dir() / "suites/pngsuite/png"))
    if (entry.path().extension() == ".png") files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

bool is_broken(const fs::path& path) {
  return path.filename().string()[0] == 'x';
}

std::vector<std::byte> content(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

std::int64_t number_at(const std::vector<std::byte>& bytes, std::size_t at) {
  std::int64_t value = 0;
  for (std::size_t i = 0; i < 4; ++i)
    value = value << 8 | std::to_integer<std::int64_t>(bytes[at + i]);
  return value;
}

Image suite_picture(const std::string& name) {
  return read_image(shared_dir() / "suites/pngsuite/png" / (name + ".png"), any_size).image;
}

}  // namespace

TEST_CASE("PngSuite: valid files decode, broken ones are named") {
  BCX_NEEDS_SHARED("suites/pngsuite/png");
  int valid = 0, broken = 0;
  for (const fs::path& path : suite()) {
    INFO(path.filename().string());
    if (is_broken(path)) {
      ++broken;
      try {
        read_image(path, any_size);
        FAIL_CHECK("a broken file was read");
      } catch (const Error& error) {
        CHECK(error.code() == ExitCode::data);
        CHECK(std::string(error.what()).find(path.string() + ": ") == 0);
      }
      continue;
    }
    ++valid;
    const DecodedImage decoded = read_image(path, any_size);
    const auto bytes = content(path);
    CHECK(decoded.stored_width == number_at(bytes, 16));
    CHECK(decoded.stored_height == number_at(bytes, 20));
    CHECK(decoded.image.rgb.size() ==
          static_cast<std::size_t>(decoded.stored_width * decoded.stored_height * 3));
    const int colour = std::to_integer<int>(bytes[25]), depth = std::to_integer<int>(bytes[24]);
    CHECK((decoded.note.find("grey") != std::string::npos) == (colour == 0 || colour == 4));
    CHECK((decoded.note.find("palette") != std::string::npos) == (colour == 3));
    CHECK((decoded.note.find("16-bit") != std::string::npos) == (depth == 16));
  }
  CHECK(valid == 161);
  CHECK(broken == 14);
}

TEST_CASE("PngSuite: what is wrong with each broken file") {
  BCX_NEEDS_SHARED("suites/pngsuite/png");
  const std::pair<const char*, const char*> expected[] = {
      {"xc1n0g08", "PNG is damaged: no such colour type, 1"},
      {"xc9n2c08", "PNG is damaged: no such colour type, 9"},
      {"xcrn0g04", "is not a PNG, JPEG, TIFF or BMP picture"},
      {"xcsn0g01", "PNG is damaged: wrong checksum of chunk IDAT at byte 49"},
      {"xd0n2c08", "PNG is damaged: colour type 2 has no bit depth 0"},
      {"xd3n2c08", "PNG is damaged: colour type 2 has no bit depth 3"},
      {"xd9n2c08", "PNG is damaged: colour type 2 has no bit depth 99"},
      {"xdtn0g01", "PNG is damaged: it has no pixel data"},
      {"xhdn0g08", "PNG is damaged: wrong checksum of chunk IHDR at byte 8"},
      {"xlfn0g04", "is not a PNG, JPEG, TIFF or BMP picture"},
      {"xs1n0g01", "is not a PNG, JPEG, TIFF or BMP picture"},
      {"xs2n0g01", "is not a PNG, JPEG, TIFF or BMP picture"},
      {"xs4n0g01", "is not a PNG, JPEG, TIFF or BMP picture"},
      {"xs7n0g01", "is not a PNG, JPEG, TIFF or BMP picture"}};
  for (const auto& [name, what] : expected) {
    const fs::path path = shared_dir() / "suites/pngsuite/png" / (std::string(name) + ".png");
    CHECK_THROWS_WITH(read_image(path, any_size), path.string() + ": " + what);
  }
}

TEST_CASE("PngSuite: interlaced, split, filtered and compressed variants have the same pixels") {
  BCX_NEEDS_SHARED("suites/pngsuite/png");
  for (const char* kind : {"0g01", "0g02", "0g04", "0g08", "0g16", "2c08", "2c16", "3p01", "3p02",
                           "3p04", "3p08", "4a08", "4a16", "6a08", "6a16"})
    CHECK(suite_picture(std::string("basn") + kind).rgb ==
          suite_picture(std::string("basi") + kind).rgb);
  for (const char* name : {"oi2n2c16", "oi4n2c16", "oi9n2c16"})
    CHECK(suite_picture(name).rgb == suite_picture("oi1n2c16").rgb);
  for (const char* name : {"z03n2c08", "z06n2c08", "z09n2c08"})
    CHECK(suite_picture(name).rgb == suite_picture("z00n2c08").rgb);
  for (const char* size : {"01", "02", "03", "04"})
    CHECK(suite_picture(std::string("s") + size + "n3p01").rgb ==
          suite_picture(std::string("s") + size + "i3p01").rgb);
}

TEST_CASE("PngSuite: transparency becomes white, whatever the background chunk says") {
  BCX_NEEDS_SHARED("suites/pngsuite/png");
  // The same picture with the backgrounds white, black, grey and yellow (and none).
  CHECK(suite_picture("bgwn6a08").rgb == suite_picture("bgan6a08").rgb);
  CHECK(suite_picture("tbwn3p08").rgb == suite_picture("tbbn3p08").rgb);
  CHECK(suite_picture("tbwn3p08").rgb == suite_picture("tp1n3p08").rgb);
  const auto corner = [](const char* name) {
    const Image image = suite_picture(name);
    return std::vector<int>(image.rgb.begin(), image.rgb.begin() + 3);
  };
  for (const char* name :
       {"tbbn0g04", "tbbn2c16", "tbbn3p08", "tbgn2c16", "tbrn2c08", "tbwn0g16", "tp1n3p08"})
    CHECK(corner(name) == std::vector<int>{255, 255, 255});
}

TEST_CASE("PngSuite: cut anywhere, flipped anywhere: an error or a picture, never a crash") {
  BCX_NEEDS_SHARED("suites/pngsuite/png");
  for (const fs::path& path : suite()) {
    if (is_broken(path)) continue;
    INFO(path.filename().string());
    const auto bytes = content(path);
    for (std::size_t length = 0; length < bytes.size(); length += 64)
      CHECK_THROWS_AS(decode_image(std::span(bytes).first(length), any_size), Error);
    for (std::size_t at = 0; at < bytes.size(); at += 61) {
      auto bad = bytes;
      bad[at] ^= std::byte{0x10};
      try {
        decode_image(bad, any_size);
        // Only chunks that are passed over may hold damage unseen, and they have checksums too;
        // what is left is the four bytes of a chunk's type turning one unknown kind into another.
        FAIL_CHECK("a flipped bit at " << at << " was not seen");
      } catch (const Error& error) {
        CHECK(error.code() == ExitCode::data);
      }
    }
  }
}
