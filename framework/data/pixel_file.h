// One file of decoded pixels: the cache's and the pack's.
//
// Little-endian; offsets from the file's beginning:
//
//     0               "BCXPIX1\n", then zeros up to byte 64
//     64              pixels: [count, size, size, 3] uint8 RGB, row-major, without gaps
//     64 + bytes      JSON, UTF-8: what the pixels are (an object; its keys are the writer's)
//     end - 128       footer:
//       +0   u64      count
//       +8   u64      size: side of an image in pixels, 1..65,535
//       +16  u64      length of the JSON in bytes
//       +24  8 bytes  kind: "cache   ", "pack    "
//       +32  32 bytes SHA-256 of the JSON
//       +64  32 bytes SHA-256 of the file up to the footer
//       +96  32 bytes SHA-256 of footer bytes 0..95
//
// The length of the file must be exactly what the footer says. The pixels come first so that they
// can be streamed while later ones are still being decoded; 64 keeps them aligned when mapped.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/atomic_file.h"
#include "base/hash.h"
#include "data/sample.h"

namespace bcx::data {

enum class PixelFileKind { cache, pack };

/// Writes one, front to back, as an AtomicFile: nothing shows under the name before commit(). Every
/// failure throws bcx::Error (storage).
class PixelFileWriter {
 public:
  PixelFileWriter(const std::filesystem::path& path, PixelFileKind kind, std::int64_t size);
  /// More images, [n, size, size, 3].
  void write(std::span<const std::uint8_t> pixels);
  /// The JSON and the footer, then the file under its name.
  void commit(std::string_view json);

 private:
  void put(std::span<const std::byte> bytes);

  AtomicFile file_;
  PixelFileKind kind_;
  std::int64_t size_;
  std::uint64_t pixel_bytes_ = 0;
  Sha256 sum_;
};

/// A file mapped read-only, checked against its footer.
struct PixelFile {
  std::shared_ptr<const void> mapping;  ///< keeps `pixels` and `json` alive
  PixelView pixels;
  std::string_view json;
};

/// Maps a file and checks lengths, kind and the sums of footer and JSON; with `verify` the pixels'
/// too. Throws bcx::Error (data) with the path and what is wrong.
PixelFile open_pixel_file(const std::filesystem::path& path, PixelFileKind kind, bool verify);

}  // namespace bcx::data
