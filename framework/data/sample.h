// The table of images that an experiment works on, before anything is decoded.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bcx::data {

/// One image. `id` is stable_hash(relative): the same on every machine, whatever else is in the
/// folder.
struct Sample {
  std::uint64_t id = 0;
  std::string relative;        ///< path below the root, '/' separated: the sample's name everywhere
  std::filesystem::path path;  ///< absolute; empty for packed data
  int label = 0;               ///< index into SampleTable::classes
  std::vector<std::string> attributes;  ///< aligned with SampleTable::attribute_names; "" = unknown
};

/// All images of a data set, sorted by `relative` (bytewise): the order of everything that follows.
struct SampleTable {
  std::vector<std::string> classes;
  int positive = 1;  ///< index of the positive class, of two
  std::vector<std::string>
      attribute_names;  ///< "case", "slide", "patient", "magnification", "type", ...
  std::vector<Sample> samples;

  /// Column of an attribute, none if the data set does not have it.
  std::optional<std::size_t> attribute(std::string_view name) const;
};

/// Which part of the split a sample belongs to.
enum class Part : std::uint8_t { train, validation, test, unused };
std::string_view name_of(Part part);  ///< `train`, `validation`, `test`, `unused`

/// What decoding one image found out, for the audit and for messages.
struct ImageFacts {
  int width = 0, height = 0;          ///< as stored in the file
  std::uint64_t pixel_hash = 0;       ///< of the decoded 8-bit RGB pixels and their size
  std::uint64_t perceptual_hash = 0;  ///< 64-bit DCT hash of the luminance: near duplicates
  std::string note;         ///< "16-bit", "grey", "alpha", "palette", ...; "" = nothing odd
  std::string unprocessed;  ///< why a preprocess component left it alone: "macenko: blank"
  std::string problem;      ///< not empty: unreadable, and why; pixels are then zero
};

/// Decoded images, resident: [count, height, width, 3] uint8 RGB, row-major, contiguous. A view:
/// who made it owns the memory (heap, mapped cache file, or packed file).
struct PixelView {
  const std::uint8_t* data = nullptr;
  std::int64_t count = 0, height = 0, width = 0;
  bool mapped = false;  ///< of a file: what was not read before is on the disk (read_ahead.h)
  const std::uint8_t* image(std::int64_t i) const { return data + i * height * width * 3; }
};

}  // namespace bcx::data
