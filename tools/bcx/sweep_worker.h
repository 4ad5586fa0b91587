// The process that a trial of a sweep runs in.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "sweep/ledger.h"

namespace bcx::cli {

/// The command that runs a trial, or goes on with it from its run's newest checkpoint: `bcx run` or
/// `bcx resume`. `device`: empty, or what --device takes.
std::vector<std::string> trial_command(const sweep::Ledger& ledger, const sweep::Trial& trial,
                                       const std::string& program, const std::string& device);

/// How often the kernel has killed a process on this machine because memory ran out, by
/// /proc/vmstat and this process's memory control group; 0 where they don't say.
std::int64_t memory_kills();

/// One trial's process, in a process group of its own: Ctrl-C in a terminal reaches the controller
/// alone, which passes it on. When the controller dies the process is sent SIGTERM, and saves.
/// Holds the trial's lock as the process does.
class SweepWorker {
 public:
  struct Settings {
    std::string program, device;
    std::int64_t threads = 1;
    std::string visible_device;  ///< CUDA_VISIBLE_DEVICES; empty: as inherited
  };
  SweepWorker(const sweep::Ledger& ledger, sweep::Claim claim, const Settings& settings);
  ~SweepWorker();
  SweepWorker(SweepWorker&& other) noexcept;
  SweepWorker& operator=(SweepWorker&&) = delete;

  const sweep::Trial& trial() const { return claim_.trial; }
  /// None while it lives. Does not wait. Throws when the program could not be started at all.
  std::optional<sweep::Ended> ended();
  void stop() const;

 private:
  sweep::Ended ended_with(int status) const;

  sweep::Claim claim_;
  std::string program_;
  std::filesystem::path log_;
  std::uintmax_t log_begin_ = 0;
  std::int64_t kills_before_ = 0;
  pid_t process_ = -1;
};

}  // namespace bcx::cli
