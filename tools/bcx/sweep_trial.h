// What makes a run a trial of a sweep: it belongs to its trial, and may be told to end early.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "console.h"
#include "tracker/rows.h"

namespace CLI {
class App;
}

namespace bcx::cli {

struct TrialOptions {
  std::string trial;  ///< SWEEP:NUMBER; empty: no trial
  std::int64_t micro_batches = 1;
};

/// Adds --trial and --micro-batches, which sweeps set and help does not show.
void add_trial_options(CLI::App& command, TrialOptions& options);

/// Throws (usage) when the text is no SWEEP:NUMBER.
std::optional<tracker::TrialRef> trial_of(const TrialOptions& options);

/// The console; of a trial one that asks the sweep at each epoch's end whether to go on, and stops
/// the run as SIGTERM does: its state is saved, and a promotion goes on from there.
std::unique_ptr<ConsoleObserver> make_observer(const std::optional<tracker::TrialRef>& trial,
                                               const std::filesystem::path& database, bool quiet);

}  // namespace bcx::cli
