// How `bcx verify` cuts a run short.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "train/observer.h"

namespace bcx::cli {

/// Where a run is cut short. Steps are counted from the beginning of the attempt.
struct Interruption {
  bool kill = false;          ///< else a stop by SIGTERM, which saves
  std::int64_t saved_at = 0;  ///< of a kill: the step after which SIGUSR1 asked for a checkpoint
  std::int64_t step = 0;
  std::int64_t microseconds = 0;  ///< of a kill: so long after the step
};

/// Cuts its own process short, as `plan` says; without one the run is left alone.
class Saboteur : public train::Observer {
 public:
  explicit Saboteur(std::optional<Interruption> plan) : plan_(plan) {}

  void progress(const train::Progress& progress) override;
  void message(train::Tone tone, std::string_view text) override;
  void epoch(std::int64_t, std::int64_t,
             const std::vector<std::pair<std::string, double>>&) override {}

 private:
  std::optional<Interruption> plan_;
  std::int64_t steps_ = 0;
};

}  // namespace bcx::cli
