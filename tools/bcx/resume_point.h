// Where runs can be gone on with.
#pragma once

#include <optional>
#include <string>

#include "engine/engine.h"
#include "tracker/reader.h"

namespace bcx::cli {

/// The run's checkpoint files that are there, newest first.
std::vector<engine::KeptCheckpoint> kept_checkpoints(const tracker::Reader& reader,
                                                     const std::string& run);

/// Throws (usage) when the run is running, (data) when it has no checkpoint.
engine::ResumePoint resume_point(const tracker::Reader& reader, const tracker::RunShown& run,
                                 bool force);

/// The newest unfinished run of that name with something to go on from: a checkpoint, or with
/// `folds` a parent of folds. Without one a run begins anew, so that a job may be queued again at
/// any point.
std::optional<std::string> find_unfinished(const tracker::Reader& reader, const std::string& name,
                                           bool folds);

}  // namespace bcx::cli
