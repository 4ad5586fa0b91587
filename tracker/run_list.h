// The queries behind lists of runs.
#pragma once

#include <cstdint>
#include <vector>

#include "tracker/reader.h"
#include "tracker/run_keys.h"
#include "tracker/run_life.h"
#include "tracker/sqlite.h"

namespace bcx::tracker {

/// The runs that `query` asks for; statuses are as in the file. `where` is a condition over
/// `run r`; all runs that are not in the trash when its text is empty.
RunList list_runs(const Database& database, const RunQuery& query, const KnownKeys& known,
                  const NotRunning& not_running, const SqlCondition& where);
/// One run with every parameter and metric, by its row; none when it is in the trash.
std::vector<RunShown> read_run(const Database& database, std::int64_t row);

}  // namespace bcx::tracker
