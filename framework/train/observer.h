// What a run tells the person who started it. No torch, no terminal: the command line draws it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bcx::train {

/// Where a long phase stands.
struct Progress {
  std::string_view phase;  ///< "decode", "train", "validate", "test"
  std::int64_t done = 0, total = 0;
  std::int64_t epoch = -1, epochs = 0;  ///< 0-based; -1: not in an epoch
  double loss = 0, accuracy = 0;        ///< running means of the epoch; for "train"
  double images_per_second = 0;
};

enum class Tone { note, good, warning };

/// All functions are called on the thread that runs the engine, and never from inside a step.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void progress(const Progress& progress) = 0;
  /// One line for people.
  virtual void message(Tone tone, std::string_view text) = 0;
  /// An epoch ended, with everything measured in it.
  virtual void epoch(std::int64_t epoch, std::int64_t epochs,
                     const std::vector<std::pair<std::string, double>>& metrics) = 0;
};

}  // namespace bcx::train
