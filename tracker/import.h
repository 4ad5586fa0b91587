// Runs that other trackers recorded.
#pragma once

#include <filesystem>
#include <vector>

#include "tracker/transfer.h"

namespace bcx::tracker {

/// Takes the runs of an MLflow SQLite store (mlflow.db) that are not deleted: parameters (typed by
/// what they look like), metrics with steps and times, tags, notes, parents, the git commit. A run
/// keeps its id, so that importing again brings only what is new. Artifacts stay where they are.
/// A step with several values keeps the one of the latest time. Throws (data) for a file that is no
/// such store.
std::vector<Merged> import_mlflow(const std::filesystem::path& database,
                                  const std::filesystem::path& store);

/// Takes the scalars of TensorBoard's event files (`*tfevents*`) at or below `path`: each folder of
/// such files is a run, as in TensorBoard; of several values for a step the later file's stays. The
/// run's id is made from its folder's name and its first record. Throws (data) for a damaged file,
/// and when there is none.
std::vector<Merged> import_tensorboard(const std::filesystem::path& database,
                                       const std::filesystem::path& path);

/// Writes runs (full ids) as event files, `<folder>/<run's folder>/events.out.tfevents.…`: each
/// metric a scalar by step, as float32. Throws (usage) when a file is there already.
void export_tensorboard(const std::filesystem::path& database, const std::vector<std::string>& runs,
                        const std::filesystem::path& folder);

}  // namespace bcx::tracker
