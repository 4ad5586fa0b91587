// How a run looks to the person who started it: a progress bar on a terminal, plain lines
// elsewhere.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "train/observer.h"

namespace bcx::cli {

/// Writes to standard error. Colour and the bar only on a terminal (NO_COLOR turns colour off).
class ConsoleObserver : public train::Observer {
 public:
  /// quiet: warnings alone.
  explicit ConsoleObserver(bool quiet);
  ~ConsoleObserver() override;

  void progress(const train::Progress& progress) override;
  void message(train::Tone tone, std::string_view text) override;
  void epoch(std::int64_t epoch, std::int64_t epochs,
             const std::vector<std::pair<std::string, double>>& metrics) override;

 private:
  void clear_bar();

  bool quiet_, terminal_, colour_, bar_shown_ = false;
  std::chrono::steady_clock::time_point drawn_{}, phase_began_{}, training_began_{};
  std::optional<double> training_from_;  // where the first bar of this process stood, in epochs
  std::string phase_;
};

/// `42 %`, a bar of `width` columns drawn with block characters: `██████▌   `.
std::string bar(double share, int width);

}  // namespace bcx::cli
