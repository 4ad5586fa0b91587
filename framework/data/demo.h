// Synthetic H&E-like pictures in BreakHis's own names and folders, so that the trap of a random
// split can be shown and tested without any download.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "data/images.h"

namespace bcx::data {

/// What to draw. Ranges are checked: bcx::Error (usage).
struct DemoOptions {
  std::int64_t patients = 12;   ///< cases, half of them malignant; 2 .. 2,000
  std::int64_t images = 240;    ///< in all, spread over the patients; patients .. 200,000
  double patient_effect = 1.0;  ///< 0: all patients look alike; 1: default; 3: at most
  std::int64_t size = 175;      ///< width in pixels, 64 .. 700; the height is 23/35 of it
  std::uint64_t seed = 42;
};

/// A picture that was drawn.
struct DemoImage {
  std::string relative;  ///< BreakHis's path below the root
  int label = 0;         ///< 0 benign, 1 malignant
  Image image;
};

/// Draws picture `index` (0 .. images - 1) of the set. A pure function of (options, index): the
/// same pixels on every machine with the same OpenCV.
DemoImage draw_demo_image(const DemoOptions& options, std::int64_t index);

/// Writes the whole set as PNG files below `root` (created; must be empty or absent), drawing on
/// `threads` threads (0: the cores there are). `progress` is called with the count done, one call
/// at a time. Throws bcx::Error: data when the folder holds something, storage, stopped.
void write_demo(const std::filesystem::path& root, const DemoOptions& options,
                const std::function<void(std::int64_t)>& progress = {}, int threads = 0);

}  // namespace bcx::data
