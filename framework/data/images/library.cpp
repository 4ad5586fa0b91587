// libbcx_images.so: the only code of bcx that OpenCV is linked to.

#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "data/images/api.h"

namespace bcx::data::images {
namespace {

int size_of(std::int64_t pixels) {
  return static_cast<int>(pixels);
}

// OpenCV takes no const pointers to pixels that it only reads.
cv::Mat mat_of(ImageView image) {
  return {size_of(image.height), size_of(image.width), CV_8UC3,
          const_cast<std::uint8_t*>(image.rgb)};
}

bool decode(std::span<const std::byte> bytes, RawPicture& picture) {
  const cv::Mat file(1, static_cast<int>(bytes.size()), CV_8UC1,
                     const_cast<std::byte*>(bytes.data()));
  cv::Mat pixels;
  try {
    pixels = cv::imdecode(file, cv::IMREAD_UNCHANGED);
  } catch (const cv::Exception&) {
    return false;
  }
  if (pixels.empty() || (pixels.depth() != CV_8U && pixels.depth() != CV_16U)) return false;
  picture.height = pixels.rows;
  picture.width = pixels.cols;
  picture.channels = pixels.channels();
  picture.bits = pixels.depth() == CV_8U ? 8 : 16;
  if (!pixels.isContinuous()) pixels = pixels.clone();
  const auto* begin = reinterpret_cast<const std::byte*>(pixels.data);
  picture.samples.assign(begin, begin + pixels.total() * pixels.elemSize());
  return true;
}

std::vector<std::byte> encode(ImageView image, const char* ending,
                              const std::vector<int>& settings) {
  cv::Mat bgr;
  cv::cvtColor(mat_of(image), bgr, cv::COLOR_RGB2BGR);
  std::vector<unsigned char> bytes;
  if (!cv::imencode(ending, bgr, bytes, settings)) return {};
  const auto* begin = reinterpret_cast<const std::byte*>(bytes.data());
  return {begin, begin + bytes.size()};
}

std::vector<std::byte> encode_png(ImageView image) {
  return encode(image, ".png", {});
}

std::vector<std::byte> encode_jpeg(ImageView image, int quality) {
  return encode(image, ".jpg", {cv::IMWRITE_JPEG_QUALITY, quality});
}

int flag_of(Interpolation how) {
  switch (how) {
    case Interpolation::area:
      return cv::INTER_AREA;
    case Interpolation::linear:
      return cv::INTER_LINEAR;
    case Interpolation::cubic:
      return cv::INTER_CUBIC;
    case Interpolation::nearest:
      return cv::INTER_NEAREST;
  }
  return cv::INTER_AREA;
}

void resize(ImageView image, std::uint8_t* target, std::int64_t height, std::int64_t width,
            Interpolation how) {
  cv::Mat result(size_of(height), size_of(width), CV_8UC3, target);
  cv::resize(mat_of(image), result, result.size(), 0, 0, flag_of(how));
}

constexpr int font = cv::FONT_HERSHEY_SIMPLEX;
constexpr double font_height = 22.0;  // of capital letters at scale 1

void draw_text(Image& image, std::int64_t x, std::int64_t y, const std::string& text,
               double height) {
  cv::Mat mat(size_of(image.height), size_of(image.width), CV_8UC3, image.rgb.data());
  cv::putText(mat, text, {size_of(x), size_of(y)}, font, height / font_height, {40, 40, 40}, 1,
              cv::LINE_AA);
}

std::int64_t text_width(const std::string& text, double height) {
  int baseline = 0;
  return cv::getTextSize(text, font, height / font_height, 1, &baseline).width;
}

}  // namespace
}  // namespace bcx::data::images

extern "C" __attribute__((visibility("default"))) const bcx::data::images::Api* bcx_images_api() {
  using namespace bcx::data::images;
  static const Api table = [] {
    // bcx decodes on threads of its own, one picture each; OpenCV's would fight with them.
    cv::setNumThreads(1);
    return Api{api_version, decode,    encode_png, encode_jpeg,
               resize,      draw_text, text_width, draw_tissue};
  }();
  return &table;
}
