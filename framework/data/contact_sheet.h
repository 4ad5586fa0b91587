// A labelled contact sheet: many small pictures on one, for the eye.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "data/decode.h"
#include "data/images.h"
#include "data/sample.h"

namespace bcx::data {

/// One picture of the sheet with up to two lines of text under it (ASCII; other characters show as
/// '?').
struct Tile {
  ImageView image;
  std::vector<std::string> lines;
};

/// Tiles side by side, each scaled to `side` pixels, on white. columns 0: about as wide as high.
Image contact_sheet(std::span<const Tile> tiles, std::int64_t side = 160, std::int64_t columns = 0);

/// `count` sample indices spread over the classes in turn, drawn from `seed`, in table order.
std::vector<std::size_t> preview_samples(const SampleTable& table, std::size_t count,
                                         std::uint64_t seed);

/// Replaces pictures [count, height, width, 3] by augmented ones of the same shape: the engine's
/// part.
using AugmentHook = std::function<void(std::span<std::uint8_t> pixels, const PixelView& shape,
                                       std::span<const std::size_t> samples)>;

/// The sheet of `bcx data preview`: class, part and name under each picture. `parts` is aligned
/// with the table (empty: no parts shown).
Image preview_sheet(const DecodedData& data, std::span<const Part> parts,
                    std::span<const std::size_t> samples, const AugmentHook& augment = {});

}  // namespace bcx::data
