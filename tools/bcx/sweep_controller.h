// What draws a sweep's trials and runs them, several at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "sweep/ledger.h"
#include "sweep_worker.h"

namespace bcx::cli {

struct WorkSettings {
  std::int64_t jobs = 1;
  std::string device;   ///< empty: as the experiment says
  std::string program;  ///< runs a trial; empty: this executable
  bool quiet = false;
  /// Called after a trial's process ended and its outcome is in the tracker.
  std::function<void(std::int64_t number)> after = {};
};

/// Runs trials until there are no more to draw, each in a process of its own. Tells on standard
/// error what happens, and after the first trial how long the rest takes. A stop signal stops the
/// trials, which save. Several controllers may work at one sweep.
class SweepController {
 public:
  SweepController(sweep::Ledger& ledger, WorkSettings settings);

  /// False when a signal stopped it.
  bool run();

 private:
  bool is_working() const;
  bool fill();
  bool collect();
  void tell(std::int64_t number);
  std::string time_left(const std::vector<sweep::Trial>& trials);

  sweep::Ledger& ledger_;
  WorkSettings settings_;
  std::vector<std::optional<SweepWorker>> slots_;
  std::vector<std::string> devices_;  // for CUDA_VISIBLE_DEVICES, where there are several
  double trial_seconds_ = 0;          // of trials that ended here
  std::int64_t ended_ = 0;
  std::chrono::steady_clock::time_point next_claim_{};  // after one that gave nothing
  std::set<std::int64_t> alone_;  // trials that ran out of memory beside others
};

/// `sweep batch_size_x_learning_rate (6f1c09ab)`, its parameters, and how many trials there are.
void print_plan(const sweep::Plan& plan, const std::vector<std::string>& warnings,
                std::int64_t jobs);

}  // namespace bcx::cli
