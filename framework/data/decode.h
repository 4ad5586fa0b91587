// Every image decoded once, to uint8 at one size, resident in memory or mapped from a file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "config/experiment.h"
#include "data/images.h"
#include "data/sample.h"

namespace bcx::data {

/// Owner of the pixels behind a PixelView: heap memory, or a file mapped read-only. Movable; the
/// view stays valid when it is moved. Reading from any thread.
class PixelStore {
 public:
  PixelStore() = default;
  /// Takes `pixels`, [count, size, size, 3].
  PixelStore(std::vector<std::uint8_t> pixels, std::int64_t count, std::int64_t size);
  /// Keeps `owner` (a mapping) alive for as long as the view is used.
  PixelStore(std::shared_ptr<const void> owner, PixelView view);

  const PixelView& view() const { return view_; }
  bool mapped() const { return view_.mapped; }

 private:
  std::shared_ptr<const void> owner_;
  PixelView view_;
};

/// A preprocess component's work (a stain normaliser): applied to each image after the resize, on
/// every split. `state` names everything its result depends on and is part of the cache's key. Both
/// empty: none. `apply` gives ImageFacts::unprocessed; it is called from several threads at once
/// and must not change the size.
struct PreprocessHook {
  std::function<std::string(Image&)> apply;
  std::string state;
};

/// An image that could not be read.
struct Unreadable {
  std::string relative;
  std::string problem;
};

struct DecodeProgress {
  std::int64_t done = 0, total = 0;
  double seconds = 0;  ///< since the start
};

struct DecodeOptions {
  ImageLimits limits;
  PreprocessHook preprocess;
  /// Where decoded pixels are kept for the next start; empty: cache_folder() / "images".
  std::filesystem::path cache;
  bool use_cache = true;
  std::uint64_t cache_bytes =
      32'000'000'000;              ///< the least recently used files beyond this are removed
  double quarantine_share = 0.05;  ///< unreadable images above this share are an error all the same
  /// Called on the calling thread, a few times a second and at the end.
  std::function<void(const DecodeProgress&)> progress;
  /// Told about things that went on all the same (an unusable cache file, a full disk).
  std::function<void(const std::string&)> warn;
};

/// Decoded data: `table` without the quarantined samples; `facts` and the pixels are aligned with
/// it.
struct DecodedData {
  SampleTable table;
  std::vector<ImageFacts> facts;
  PixelStore pixels;
  std::vector<Unreadable> quarantined;
  bool from_cache = false;
  double seconds = 0;
};

/// One sample as decode_all() keeps it, before any preprocessing. Throws bcx::Error (data) when it
/// cannot be read.
Image decode_square(const Sample& sample, const config::DataConfig& config,
                    const ImageLimits& limits = {});

/// Applies `hook` to all pixels, on `workers` threads (0: the cores there are): packed data, which
/// come decoded. They are copied to memory. Throws bcx::Error: device (no room), stopped, and what
/// the hook threw.
void preprocess_pixels(DecodedData& data, const PreprocessHook& hook, std::int64_t workers);

/// Decodes every sample to config.cache_size (image_size when 0) with config.workers threads.
///
/// The result does not depend on the number of threads. With the cache on, pixels are streamed to
/// a file as they are decoded and mapped at the end, so memory stays bounded however many there
/// are; a second start maps that file without decoding (same paths, sizes, modification times and
/// settings). A cache file that is cut short or damaged is told to `warn` and decoded anew; when
/// none can be written, pixels stay in memory if they fit.
///
/// Throws bcx::Error: data (an ErrorList of the unreadable images under `unreadable = "fail"`, or
/// too many of them under "quarantine"), device (they fit neither disk nor memory), stopped.
DecodedData decode_all(const SampleTable& table, const config::DataConfig& config,
                       const DecodeOptions& options = {});

}  // namespace bcx::data
