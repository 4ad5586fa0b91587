// The runs that a run with folds (bcx run --folds) is made of.
#pragma once

#include <string_view>
#include <vector>

#include "tracker/reader.h"

namespace bcx::report {

/// The parameter that a parent of folds has: how many there are.
inline constexpr std::string_view folds_key = "folds";

bool is_folds(const tracker::RunShown& run);

/// `data.split.fold`; -1: the run is not of a fold.
std::int64_t fold_of(const tracker::RunShown& run);

/// The newest run of each fold, in the folds' order.
std::vector<tracker::RunShown> fold_runs(const tracker::Reader& reader,
                                         const tracker::RunShown& parent);

}  // namespace bcx::report
