// Runs that are made of other runs: one per fold, or those of an ensemble.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "engine/engine.h"
#include "report/fold_runs.h"
#include "tracker/reader.h"

namespace bcx::cli {

using report::fold_runs;
using report::folds_key;
using report::is_folds;

/// The parameter that an ensemble has (bcx ensemble): the ids of the runs that it averages.
inline constexpr std::string_view ensemble_key = "ensemble.runs";

bool is_ensemble(const tracker::RunShown& run);

/// Where a parent of folds goes on.
struct FoldsPoint {
  std::string parent;
  std::int64_t attempts = 0;  ///< of the parent
  std::map<std::int64_t, engine::FoldState> folds;
};
/// Finished folds stay, begun ones go on from their checkpoint. Throws (usage) when the parent or a
/// fold is running.
FoldsPoint folds_point(const tracker::Reader& reader, const tracker::RunShown& parent, bool force);

/// A table: a row per fold, mean and spread, and what all samples together give.
void print_folds(const tracker::Reader& reader, const std::string& parent);

}  // namespace bcx::cli
