// The folder of decoded pixels that spares the next start its decoding.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "data/decode.h"
#include "data/sample.h"

namespace bcx::data {

/// What a cache file is called: SHA-256 over the decoder's version (bcx's rules and OpenCV's), the
/// settings, and each sample's path, size in bytes and modification time in nanoseconds.
std::string cache_key(const SampleTable& table, const std::string& settings);

/// `<folder>/<key>.bcxpix`
std::filesystem::path cache_path(const std::filesystem::path& folder, const std::string& key);

/// What decoding found out beside the pixels. `kept` are indices into the table, ascending.
struct CacheContent {
  std::vector<std::size_t> kept;
  std::vector<ImageFacts> facts;                              ///< aligned with `kept`
  std::vector<std::pair<std::size_t, std::string>> problems;  ///< index, why
};

/// The JSON of a cache file, and back. `samples` is the table's size; content_from_json() throws
/// bcx::Error (data) when the JSON does not account for each of them exactly once.
std::string content_to_json(const CacheContent& content);
CacheContent content_from_json(std::string_view json, std::size_t samples);

struct CacheHit {
  CacheContent content;
  PixelStore pixels;
};

/// Opens and verifies a cache file and marks it as used now. None when there is no such file, or,
/// told to `warn`, when it is cut short, damaged or of another shape.
std::optional<CacheHit> open_cache(const std::filesystem::path& path, std::size_t samples,
                                   std::int64_t size,
                                   const std::function<void(const std::string&)>& warn);

/// Removes the least recently used cache files until those left take at most `bytes`, `keep` not
/// among them, and temporary files of processes that died more than a day ago. Never throws.
void trim_cache(const std::filesystem::path& folder, std::uint64_t bytes,
                const std::filesystem::path& keep) noexcept;

}  // namespace bcx::data
