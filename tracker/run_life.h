// Which of the runs that a file calls running are.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "tracker/reader.h"
#include "tracker/sqlite.h"

namespace bcx::tracker {

/// Rows of the runs that the file calls running and of which something else is known.
struct NotRunning {
  std::vector<std::int64_t> crashed, unknown;  ///< as in RunShown::status
};
NotRunning not_running(const Database& database);
/// Whether this order of runs depends on which are alive.
bool sorts_by_life(std::string_view sort);

/// Looks whether runs that the file calls running are: sets the status, the reason and the end.
void check_alive(const Database& database, std::vector<RunShown>& runs);

}  // namespace bcx::tracker
