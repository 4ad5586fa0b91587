// Any bytes as a picture: refused by its header, or decoded to the size that the header says.
#include "data/images.h"
#include "tests/fuzz/fuzz.h"

using namespace bcx;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const data::ImageLimits small{.min_side = 1, .max_side = 2000, .max_pixels = 1 << 16};
  fuzz::take_or_refuse([&] {
    const auto decoded = data::decode_image(std::as_bytes(std::span(data, size)), small);
    fuzz::require(decoded.image.height * decoded.image.width <= small.max_pixels,
                  "a picture keeps to its limits");
    fuzz::require(printable(decoded.note) == decoded.note, "a note can be shown");
  });
  return 0;
}
