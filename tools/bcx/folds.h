// Runs that are made of one run per fold.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "engine/engine.h"
#include "tracker/reader.h"

namespace bcx::cli {

/// The parameter that a parent of folds has: how many there are.
inline constexpr std::string_view folds_key = "folds";

bool is_folds(const tracker::RunShown& run);

/// Where a parent of folds goes on.
struct FoldsPoint {
  std::string parent;
  std::map<std::int64_t, engine::FoldState> folds;
};
/// Finished folds stay, begun ones go on from their checkpoint. Throws (usage) when the parent or a
/// fold is running.
FoldsPoint folds_point(const tracker::Reader& reader, const tracker::RunShown& parent, bool force);

/// The newest run of each fold, in the folds' order.
std::vector<tracker::RunShown> fold_runs(const tracker::Reader& reader,
                                         const tracker::RunShown& parent);

/// A table: a row per fold, mean and spread, and what all samples together give.
void print_folds(const tracker::Reader& reader, const std::string& parent);

}  // namespace bcx::cli
