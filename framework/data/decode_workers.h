// Decoding a stretch of samples on several threads.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "data/decode.h"
#include "data/resize.h"
#include "data/sample.h"

namespace bcx::data {

/// What decoding one image needs to know.
struct DecodeJob {
  std::int64_t size = 0;
  ResizeRule rule = ResizeRule::stretch;
  Interpolation how = Interpolation::area;
  ImageLimits limits;
  PreprocessHook preprocess;
  std::int64_t workers = 1;

  std::size_t image_bytes() const { return static_cast<std::size_t>(size * size * 3); }
};

/// `asked`, or with 0 the cores there are.
std::int64_t workers_for(std::int64_t asked);

/// What the data section asks for: cache_size (image_size when 0), resize rule, interpolation,
/// number of threads. Throws bcx::Error (usage) for words that are none.
DecodeJob decode_job(const config::DataConfig& config, const DecodeOptions& options);

/// Decodes one sample into `pixels` ([size, size, 3]). What cannot be read is the result's
/// `problem`, and the pixels are zero; other failures throw.
ImageFacts decode_one(const Sample& sample, const DecodeJob& job, std::span<std::uint8_t> pixels);

/// Calls work(i) for i from 0 to count - 1 on up to `workers` threads, and `tick(done)` on this one
/// about ten times a second. Throws bcx::Error (stopped) after a stop signal, and what a thread
/// threw.
void on_threads(std::size_t count, std::int64_t workers,
                const std::function<void(std::size_t)>& work,
                const std::function<void(std::int64_t)>& tick, const char* doing);

/// decode_one() for all samples, on job.workers threads; facts and pixels in the samples' order,
/// whichever thread had which. `tick(done)` is called on this thread about ten times a second.
/// Throws bcx::Error (stopped) after a stop signal, and what a thread threw.
void decode_stretch(std::span<const Sample> samples, const DecodeJob& job,
                    std::span<std::uint8_t> pixels, std::span<ImageFacts> facts,
                    const std::function<void(std::int64_t)>& tick);

}  // namespace bcx::data
