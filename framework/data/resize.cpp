#include "data/resize.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "data/images/api.h"

namespace bcx::data {
namespace {

constexpr std::uint8_t fill = 255;

template <typename Value, std::size_t N>
Value by_word(std::string_view word, const char* what,
              const std::pair<std::string_view, Value> (&words)[N]) {
  for (const auto& [name, value] : words)
    if (word == name) return value;
  throw Error(ExitCode::usage, fmt::format("no such {}: {}", what, word));
}

Image scaled(ImageView image, std::int64_t height, std::int64_t width, Interpolation how) {
  Image result(height, width);
  if (image.height == height && image.width == width)
    std::copy_n(image.rgb, image.bytes(), result.rgb.begin());
  else
    images::api().resize(image, result.rgb.data(), height, width, how);
  return result;
}

// Copies all of `from` into `to`, its upper left corner at (row, column). It fits.
void paste(const Image& from, Image& to, std::int64_t row, std::int64_t column) {
  for (std::int64_t y = 0; y < from.height; ++y)
    std::copy_n(&from.rgb[static_cast<std::size_t>(y * from.width * 3)], from.width * 3,
                &to.rgb[static_cast<std::size_t>(((row + y) * to.width + column) * 3)]);
}

// The other side when `side` becomes `size`: rounded to nearest, at least one pixel.
std::int64_t proportional(std::int64_t other, std::int64_t side, std::int64_t size) {
  return std::max<std::int64_t>(1, (2 * other * size + side) / (2 * side));
}

// Scaled so that the longer side is `size`.
Image scaled_whole(ImageView image, std::int64_t size, Interpolation how) {
  if (image.width >= image.height)
    return scaled(image, proportional(image.height, image.width, size), size, how);
  return scaled(image, size, proportional(image.width, image.height, size), how);
}

// Cut first, then scaled: a strip of 8 x 20,000 must not become 224 x 560,000 on the way.
Image centre_square(ImageView image) {
  const std::int64_t side = std::min(image.height, image.width);
  Image result(side, side);
  const std::int64_t top = (image.height - side) / 2, left = (image.width - side) / 2;
  for (std::int64_t y = 0; y < side; ++y)
    std::copy_n(image.rgb + ((top + y) * image.width + left) * 3, side * 3,
                &result.rgb[static_cast<std::size_t>(y * side * 3)]);
  return result;
}

}  // namespace

ResizeRule resize_rule(std::string_view word) {
  return by_word<ResizeRule>(
      word, "resize rule",
      {{"stretch", ResizeRule::stretch}, {"fit", ResizeRule::fit}, {"crop", ResizeRule::crop}});
}

Interpolation interpolation(std::string_view word) {
  return by_word<Interpolation>(word, "interpolation",
                                {{"area", Interpolation::area},
                                 {"linear", Interpolation::linear},
                                 {"cubic", Interpolation::cubic},
                                 {"nearest", Interpolation::nearest}});
}

Image resize_square(ImageView image, std::int64_t size, ResizeRule rule, Interpolation how) {
  switch (rule) {
    case ResizeRule::stretch:
      break;
    case ResizeRule::crop:
      return scaled(centre_square(image).view(), size, size, how);
    case ResizeRule::fit: {
      const Image whole = scaled_whole(image, size, how);
      Image result(size, size, fill);
      paste(whole, result, (size - whole.height) / 2, (size - whole.width) / 2);
      return result;
    }
  }
  return scaled(image, size, size, how);
}

}  // namespace bcx::data
