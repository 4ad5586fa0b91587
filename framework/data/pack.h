// `bcx data pack`: decoded pixels and the sample table as one portable file, which
// `source = "packed"` reads on machines that have no image decoder.
//
// The file (pixel_file.h) is verified before anything in it is believed: sizes, offsets and counts
// with checked arithmetic, the table's JSON field by field, a SHA-256 over the whole.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "data/decode.h"
#include "data/sample.h"

namespace bcx::data {

/// How the packed pixels were made.
struct PackSettings {
  std::int64_t size = 0;  ///< side in pixels
  std::string resize, interpolation;
  std::string preprocess;  ///< state of the preprocess components; "" = none
};

struct PackedData {
  SampleTable table;  ///< samples without paths
  std::vector<ImageFacts> facts;
  PixelStore pixels;  ///< mapped from the file
  PackSettings settings;
};

/// Writes `data` to `path` as an AtomicFile. Throws bcx::Error (storage; data for a name that is
/// not UTF-8, which a portable file cannot hold).
void write_packed(const std::filesystem::path& path, const DecodedData& data,
                  const PackSettings& settings);

/// Opens a packed file. `verify` checks the SHA-256 of the whole (about 1 s per GB); the structure
/// is always checked. Throws bcx::Error (data) with the path for anything that is not as written.
PackedData load_packed(const std::filesystem::path& path, bool verify = true);

/// load_packed() in the shape that decode_all() gives, after checking that the file was packed with
/// what `config` asks for (cache_size, resize, interpolation). Throws bcx::Error (data).
DecodedData decode_packed(const config::DataConfig& config, bool verify = true);

}  // namespace bcx::data
