#include "data/contact_sheet.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/philox.h"
#include "data/images/api.h"
#include "data/resize.h"

namespace bcx::data {
namespace {

constexpr std::int64_t gap = 10, line_height = 14;
constexpr double letter_height = 8;

// The end of a name says more than its beginning; what cannot be drawn becomes '?'.
std::string fitting(const std::string& text, std::int64_t width) {
  std::string ascii;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xC0) == 0x80) continue;  // the rest of a UTF-8 letter
    ascii += byte >= 0x20 && byte < 0x7F ? c : '?';
  }
  const auto& api = images::api();
  if (api.text_width(ascii, letter_height) <= width) return ascii;
  while (!ascii.empty() && api.text_width("..." + ascii, letter_height) > width) ascii.erase(0, 1);
  return "..." + ascii;
}

void place(const Tile& tile, std::int64_t side, std::int64_t left, std::int64_t top, Image& sheet) {
  const Image picture = resize_square(tile.image, side, ResizeRule::fit, Interpolation::area);
  for (std::int64_t y = 0; y < side; ++y)
    std::copy_n(&picture.rgb[static_cast<std::size_t>(y * side * 3)], side * 3,
                &sheet.rgb[static_cast<std::size_t>(((top + y) * sheet.width + left) * 3)]);
  for (std::size_t i = 0; i < tile.lines.size(); ++i) {
    const auto below = static_cast<std::int64_t>(i + 1) * line_height;
    images::api().draw_text(sheet, left, top + side + below - 2, fitting(tile.lines[i], side),
                            letter_height);
  }
}

}  // namespace

Image contact_sheet(std::span<const Tile> tiles, std::int64_t side, std::int64_t columns) {
  const auto count = static_cast<std::int64_t>(tiles.size());
  if (count == 0 || side < 16) throw Error(ExitCode::usage, "a contact sheet needs pictures");
  if (columns <= 0)
    columns = static_cast<std::int64_t>(std::ceil(std::sqrt(static_cast<double>(count))));
  columns = std::min(columns, count);
  std::size_t lines = 0;
  for (const Tile& tile : tiles) lines = std::max(lines, tile.lines.size());
  const std::int64_t rows = (count + columns - 1) / columns;
  const std::int64_t across = side + gap;
  const std::int64_t down = across + static_cast<std::int64_t>(lines) * line_height;
  Image sheet(rows * down + gap, columns * across + gap, 255);
  for (std::int64_t i = 0; i < count; ++i)
    place(tiles[static_cast<std::size_t>(i)], side, gap + i % columns * across,
          gap + i / columns * down, sheet);
  return sheet;
}

std::vector<std::size_t> preview_samples(const SampleTable& table, std::size_t count,
                                         std::uint64_t seed) {
  // One shuffled queue a class, served in turn.
  std::vector<std::vector<std::size_t>> queues(table.classes.size());
  const auto order =
      permutation(Stream(seed, "preview"), static_cast<std::int64_t>(table.samples.size()));
  for (const std::int64_t i : order)
    queues[static_cast<std::size_t>(table.samples[static_cast<std::size_t>(i)].label)].push_back(
        static_cast<std::size_t>(i));
  std::vector<std::size_t> chosen;
  count = std::min(count, table.samples.size());
  for (std::size_t round = 0; chosen.size() < count; ++round)
    for (const auto& queue : queues)
      if (round < queue.size() && chosen.size() < count) chosen.push_back(queue[round]);
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

Image preview_sheet(const DecodedData& data, std::span<const Part> parts,
                    std::span<const std::size_t> samples, const AugmentHook& augment) {
  const PixelView& all = data.pixels.view();
  const auto bytes = static_cast<std::size_t>(all.height * all.width * 3);
  std::vector<std::uint8_t> pixels;
  pixels.reserve(samples.size() * bytes);
  for (const std::size_t i : samples) {
    const std::uint8_t* image = all.image(static_cast<std::int64_t>(i));
    pixels.insert(pixels.end(), image, image + bytes);
  }
  const PixelView shape{pixels.data(), static_cast<std::int64_t>(samples.size()), all.height,
                        all.width};
  if (augment) augment(pixels, shape, samples);
  std::vector<Tile> tiles;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const Sample& sample = data.table.samples[samples[i]];
    std::string kind = data.table.classes[static_cast<std::size_t>(sample.label)];
    if (!parts.empty()) kind += fmt::format(", {}", name_of(parts[samples[i]]));
    const auto slash = sample.relative.rfind('/');
    tiles.push_back(
        {{shape.image(static_cast<std::int64_t>(i)), all.height, all.width},
         {kind, slash == std::string::npos ? sample.relative : sample.relative.substr(slash + 1)}});
  }
  return contact_sheet(tiles);
}

}  // namespace bcx::data
