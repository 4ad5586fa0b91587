#include "sweep_trial.h"

#include <CLI/CLI.hpp>
#include <signal.h>

#include <charconv>

#include "base/error.h"
#include "base/signals.h"
#include "base/text.h"
#include "sweep/ledger.h"

namespace bcx::cli {
namespace {

class TrialObserver : public ConsoleObserver {
 public:
  TrialObserver(tracker::TrialRef trial, std::filesystem::path database, bool quiet)
      : ConsoleObserver(quiet), trial_(std::move(trial)), database_(std::move(database)) {}

  void epoch(std::int64_t epoch, std::int64_t epochs,
             const std::vector<std::pair<std::string, double>>& metrics) override {
    ConsoleObserver::epoch(epoch, epochs, metrics);
    if (!ledger_) ledger_.emplace(database_, trial_.sweep);
    // A second stop signal would leave without saving.
    if (stop_requested() || !ledger_->prune_here(trial_.number)) return;
    message(train::Tone::note, "pruned: the sweep goes on with other trials");
    raise(SIGTERM);
  }

 private:
  tracker::TrialRef trial_;
  std::filesystem::path database_;
  std::optional<sweep::Ledger> ledger_;
};

}  // namespace

void add_trial_options(CLI::App& command, TrialOptions& options) {
  command.add_option("--trial", options.trial, "The trial of a sweep that this run is")->group("");
  command.add_option("--micro-batches", options.micro_batches, "Parts of the batch asked for")
      ->group("")
      ->check(CLI::PositiveNumber);
}

std::optional<tracker::TrialRef> trial_of(const TrialOptions& options) {
  if (options.trial.empty()) return std::nullopt;
  tracker::TrialRef trial;
  const auto colon = options.trial.rfind(':');
  if (colon != std::string::npos) {
    trial.sweep = options.trial.substr(0, colon);
    const auto* end = options.trial.data() + options.trial.size();
    const auto parsed = std::from_chars(options.trial.data() + colon + 1, end, trial.number);
    if (parsed.ec == std::errc() && parsed.ptr == end && !trial.sweep.empty()) return trial;
  }
  throw Error(ExitCode::usage, {"expected SWEEP:NUMBER, got " + printable(options.trial), "--trial",
                                "`bcx sweep` sets it"});
}

std::unique_ptr<ConsoleObserver> make_observer(const std::optional<tracker::TrialRef>& trial,
                                               const std::filesystem::path& database, bool quiet) {
  if (!trial) return std::make_unique<ConsoleObserver>(quiet);
  return std::make_unique<TrialObserver>(*trial, database, quiet);
}

}  // namespace bcx::cli
