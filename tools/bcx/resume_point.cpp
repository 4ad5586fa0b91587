#include "resume_point.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "folds.h"

namespace bcx::cli {

std::vector<engine::KeptCheckpoint> kept_checkpoints(const tracker::Reader& reader,
                                                     const std::string& run) {
  auto rows = reader.checkpoints(run);
  std::erase_if(rows, [](const auto& row) { return !row.kept; });
  std::stable_sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) {
    return std::pair(a.row.cursor.step, a.row.cursor.epoch) >
           std::pair(b.row.cursor.step, b.row.cursor.epoch);
  });
  std::vector<engine::KeptCheckpoint> checkpoints;
  for (const auto& row : rows)
    checkpoints.push_back({reader.folder() / row.row.path, row.row.sha256});
  return checkpoints;
}

engine::ResumePoint resume_point(const tracker::Reader& reader, const tracker::RunShown& run,
                                 bool force) {
  if (run.status == "running")
    throw Error(ExitCode::usage, {"is running", "run " + run.name, "stop it first"});
  engine::ResumePoint point{run.id, kept_checkpoints(reader, run.id), run.attempts, force};
  if (point.checkpoints.empty())
    throw Error(ExitCode::data, {"has no checkpoint to go on from", "run " + run.name,
                                 "start it anew with `bcx run`"});
  return point;
}

std::optional<std::string> find_unfinished(const tracker::Reader& reader, const std::string& name,
                                           bool folds) {
  tracker::RunQuery query;
  query.keys = {std::string(folds_key)};
  for (const auto& run : reader.runs(query)) {
    if (run.name != name || run.status == "finished" || run.status == "running") continue;
    if (folds != is_folds(run)) continue;
    if (folds || !kept_checkpoints(reader, run.id).empty()) return run.id;
  }
  return std::nullopt;
}

}  // namespace bcx::cli
