// A sweep at which a Slurm job works, and how results come back from where no tracker is shared.
//
// Slurm's tasks may share the tracker: then each is a controller like any other. Or each writes a
// tracker of its own, on its node's disk, and leaves every trial that ended, with its run and its
// checkpoints, as one file in a folder that all nodes see:
//
//     FOLDER/sweep.db               the sweep and what was known when it was submitted
//     FOLDER/task.json              how it is parted
//     FOLDER/trials/trial-7.db      complete before it gets its name; written again when it goes on
//
// Whoever looks at the sweep where it was submitted takes those files in first.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "sweep/ledger.h"

namespace bcx::cli {

/// What `bcx sweep submit` left behind in the sweep's folder, as slurm.json.
struct SlurmJob {
  std::string job;                ///< the array's number
  std::filesystem::path results;  ///< FOLDER; empty: the tasks share the tracker
};
std::optional<SlurmJob> slurm_job(const sweep::Ledger& ledger);
void write_slurm_job(const sweep::Ledger& ledger, const SlurmJob& job);

/// How many of the job's tasks wait or run; none when Slurm does not know it any more, or is not
/// here.
std::optional<std::int64_t> queued_tasks(const SlurmJob& job);

enum class Queued {
  tell,   ///< say so on standard error
  refuse  ///< throw (usage): trials would run twice
};
/// Merges what the tasks of a sweep left, before it is opened; `which` as tracker::find_sweep()
/// takes it. Files that cannot be read are told on standard error. With a shared tracker there is
/// nothing to do. `queued`: when tasks still wait or run.
void collect_results(const std::filesystem::path& database, std::string_view which, Queued queued);

/// How a sweep was parted: task.json.
struct SlurmParts {
  std::string sweep;  ///< its id
  std::int64_t parts = 1, first = 0, jobs = 1;
  std::string device;
};
/// Writes FOLDER for the tasks.
void write_parts(const sweep::Ledger& ledger, const SlurmParts& parts,
                 const std::filesystem::path& folder);

/// One task: draws its part of the sweep's trials until there are no more. Goes on from what it
/// left in `folder` before, on whatever node. Gives the exit code: 75 when a signal stopped it.
int work_at_part(const std::filesystem::path& folder, std::int64_t part);

}  // namespace bcx::cli
