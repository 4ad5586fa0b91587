// JPEG, TIFF and BMP as OpenCV writes them, and what damage does to them.
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include <fstream>

#include "base/error.h"
#include "base/philox.h"
#include "data/crc32.h"
#include "data/images.h"
#include "tests/catch.h"

using namespace bcx;
using namespace bcx::data;
using namespace bcx::test;

namespace {

using Bytes = std::vector<std::byte>;

// Smooth enough for JPEG to keep.
cv::Mat picture(int type = CV_8UC3, int rows = 46, int columns = 70) {
  cv::Mat mat(rows, columns, type);
  const double top = mat.depth() == CV_16U ? 65535 : 255;
  for (int y = 0; y < rows; ++y)
    for (int x = 0; x < columns; ++x)
      for (int c = 0; c < mat.channels(); ++c) {
        const double v = (0.5 + 0.4 * std::sin(0.1 * x + c) * std::cos(0.07 * y - c)) * top;
        if (mat.depth() == CV_16U)
          mat.ptr<std::uint16_t>(y)[x * mat.channels() + c] = static_cast<std::uint16_t>(v);
        else
          mat.ptr<std::uint8_t>(y)[x * mat.channels() + c] = static_cast<std::uint8_t>(v);
      }
  return mat;
}

Bytes encoded(const char* extension, const cv::Mat& mat, const std::vector<int>& flags = {}) {
  std::vector<unsigned char> bytes;
  REQUIRE(cv::imencode(extension, mat, bytes, flags));
  const auto* begin = reinterpret_cast<const std::byte*>(bytes.data());
  return {begin, begin + bytes.size()};
}

// Largest difference from what OpenCV itself makes of the bytes, as RGB.
int worst_difference(const DecodedImage& decoded, const Bytes& bytes) {
  const cv::Mat file(1, static_cast<int>(bytes.size()), CV_8UC1,
                     const_cast<std::byte*>(bytes.data()));
  cv::Mat rgb;
  cv::cvtColor(cv::imdecode(file, cv::IMREAD_COLOR), rgb, cv::COLOR_BGR2RGB);
  REQUIRE(rgb.total() * 3 == decoded.image.rgb.size());
  int worst = 0;
  for (std::size_t i = 0; i < decoded.image.rgb.size(); ++i)
    worst = std::max(worst, std::abs(int{rgb.data[i]} - int{decoded.image.rgb[i]}));
  return worst;
}

// Cut at every 64th byte: an error each time, never a picture with a grey rest.
void check_cuts(const Bytes& bytes) {
  for (std::size_t length = 0; length < bytes.size(); length += 64)
    CHECK_THROWS_AS(decode_image(std::span(bytes).first(length)), Error);
  CHECK_THROWS_AS(decode_image(std::span(bytes).first(bytes.size() - 1)), Error);
}

// Damage ends in an error or a picture of the same size.
void check_damage(const Bytes& bytes) {
  for (std::uint64_t round = 0; round < 400; ++round) {
    const Stream stream(round, "damage");
    Bytes bad = bytes;
    for (std::uint64_t k = 0; k <= stream.below(0, 3); ++k)
      bad[stream.below(2 * k + 1, bad.size())] =
          static_cast<std::byte>(stream.below(2 * k + 2, 256));
    try {
      const DecodedImage decoded = decode_image(bad, {.max_pixels = 1 << 20});
      CHECK(decoded.image.rgb.size() ==
            static_cast<std::size_t>(decoded.image.height * decoded.image.width * 3));
    } catch (const Error& error) {
      CHECK(error.code() == ExitCode::data);
    }
  }
}

}  // namespace

TEST_CASE("JPEG: baseline, progressive, restart markers, grey") {
  const std::vector<std::vector<int>> flags = {{cv::IMWRITE_JPEG_QUALITY, 90},
                                               {cv::IMWRITE_JPEG_PROGRESSIVE, 1},
                                               {cv::IMWRITE_JPEG_RST_INTERVAL, 3},
                                               {cv::IMWRITE_JPEG_OPTIMIZE, 1}};
  for (const auto& flag : flags) {
    const Bytes bytes = encoded(".jpg", picture(), flag);
    const DecodedImage decoded = decode_image(bytes);
    CHECK(decoded.image.width == 70);
    CHECK(decoded.image.height == 46);
    CHECK(decoded.note == "");
    CHECK(worst_difference(decoded, bytes) == 0);
    check_cuts(bytes);
  }
  const Bytes grey = encoded(".jpg", picture(CV_8UC1));
  CHECK(decode_image(grey).note == "grey");
  CHECK(worst_difference(decode_image(grey), grey) == 0);
}

TEST_CASE("JPEG: EXIF's orientation is applied once") {
  Bytes bytes = encoded(".jpg", picture());
  const char exif[] =
      "\xFF\xE1\0\x22"
      "Exif\0\0"
      "II*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0\6\0\0\0\0\0\0\0";
  const auto* begin = reinterpret_cast<const std::byte*>(exif);
  bytes.insert(bytes.begin() + 2, begin, begin + 36);
  const DecodedImage decoded = decode_image(bytes);
  CHECK(decoded.note == "orientation 6");
  CHECK(decoded.image.width == 46);
  CHECK(decoded.image.height == 70);
  CHECK(decoded.stored_width == 70);
  CHECK(worst_difference(decoded, bytes) == 0);  // OpenCV applies it for colour
}

TEST_CASE("JPEG: sizes are refused from the header") {
  Bytes bytes = encoded(".jpg", picture());
  for (std::size_t i = 0; i + 1 < bytes.size(); ++i)
    if (bytes[i] == std::byte{0xFF} && bytes[i + 1] == std::byte{0xC0}) {
      for (std::size_t k = 5; k < 9; ++k) bytes[i + k] = std::byte{0xFF};
      break;
    }
  CHECK_THROWS_WITH(decode_image(bytes),
                    "65535 x 65535 pixels: more than 20000 on a side; cut it into tiles");
}

TEST_CASE("TIFF: 8 and 16 bits, compressed or not") {
  constexpr int none = 1, lzw = 5, deflate = 8, packbits = 32773;
  for (const int compression : {none, lzw, deflate, packbits})
    for (const int type : {CV_8UC3, CV_8UC1, CV_16UC3, CV_16UC1}) {
      const Bytes bytes =
          encoded(".tiff", picture(type), {cv::IMWRITE_TIFF_COMPRESSION, compression});
      const DecodedImage decoded = decode_image(bytes);
      INFO(compression << " " << type);
      CHECK(decoded.image.width == 70);
      // 16 bits: bcx rounds, OpenCV cuts.
      CHECK(worst_difference(decoded, bytes) <= (type == CV_8UC3 || type == CV_8UC1 ? 0 : 1));
      if (type == CV_16UC1) {
        const cv::Mat deep = picture(type);
        for (int x = 0; x < 70; ++x)
          CHECK(int{decoded.image.rgb[static_cast<std::size_t>(x * 3)]} ==
                static_cast<int>(std::lround(deep.at<std::uint16_t>(0, x) / 257.0)));
      }
      check_cuts(bytes);
    }
  CHECK_THROWS_WITH(
      decode_image(encoded(".tiff", picture(CV_8UC4))),
      "is a TIFF with alpha or extra channels (4 samples a pixel); save it as an 8-bit "
      "RGB picture");
}

TEST_CASE("BMP: colour and grey") {
  for (const int type : {CV_8UC3, CV_8UC1}) {
    const Bytes bytes = encoded(".bmp", picture(type));
    const DecodedImage decoded = decode_image(bytes);
    CHECK(worst_difference(decoded, bytes) == 0);
    CHECK(decoded.note == (type == CV_8UC1 ? "palette" : ""));
    check_cuts(bytes);
  }
}

TEST_CASE("PNG: data for a larger picture than the header's stop at the picture's end") {
  // 16 million equal pixels in a few kilobytes, and a header that claims 8 x 8 of them.
  Bytes bytes = encoded(".png", cv::Mat(4000, 4000, CV_8UC3, cv::Scalar(9, 9, 9)));
  REQUIRE(bytes.size() < 200'000);
  for (const std::size_t at : {16u, 20u})
    for (std::size_t i = 0; i < 4; ++i)
      bytes[at + i] = std::byte{i == 3 ? std::uint8_t{8} : std::uint8_t{0}};
  const auto sum = crc32(std::span(bytes).subspan(12, 17));
  for (std::size_t i = 0; i < 4; ++i) bytes[29 + i] = static_cast<std::byte>(sum >> (24 - 8 * i));
  try {
    const auto decoded = decode_image(bytes);
    CHECK(decoded.image.width == 8);
    CHECK(decoded.image.height == 8);
  } catch (const Error& error) {
    CHECK(std::string(error.what()) == "PNG is damaged: its pixel data cannot be decoded");
  }
}

TEST_CASE("names that say another format, and links that lead nowhere") {
  const TemporaryFolder folder;
  const auto write = [&](const char* name, const Bytes& bytes) {
    std::ofstream(folder / name, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
  };
  write("a.png", encoded(".jpg", picture()));
  write("b.jpg", encoded(".tiff", picture()));
  write("c.tif", encoded(".bmp", picture()));
  write("d", encoded(".png", picture()));
  CHECK(read_image(folder / "a.png").note == "JPEG named .png");
  CHECK(read_image(folder / "b.jpg").note == "TIFF named .jpg");
  CHECK(read_image(folder / "c.tif").note == "BMP named .tif");
  CHECK(read_image(folder / "d").note == "");
  std::filesystem::create_symlink("loop.png", folder / "loop.png");
  CHECK_THROWS_WITH(
      read_image(folder / "loop.png"),
      (folder / "loop.png").string() + ": cannot be opened: Too many levels of symbolic links");
}

TEST_CASE("random damage never crashes and never changes a size") {
  check_damage(encoded(".jpg", picture()));
  check_damage(encoded(".jpg", picture(), {cv::IMWRITE_JPEG_PROGRESSIVE, 1}));
  check_damage(encoded(".tiff", picture()));
  check_damage(encoded(".tiff", picture(), {cv::IMWRITE_TIFF_COMPRESSION, 1}));
  check_damage(encoded(".bmp", picture()));
  check_damage(encoded(".png", picture()));
}
