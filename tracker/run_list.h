// The queries behind lists of runs.
#pragma once

#include <string>
#include <vector>

#include "tracker/reader.h"
#include "tracker/sqlite.h"

namespace bcx::tracker {

/// Every key that runs of this file have, columns first.
struct KnownKeys {
  std::vector<std::string> params, metrics;
};
KnownKeys known_keys(const Database& database);

/// The runs that `where` (SQL over `run r`, "" = all that are not in the trash) lets through, in
/// the order of `query.sort`, with what the query asks for. Statuses are as in the file.
std::vector<RunShown> list_runs(const Database& database, const RunQuery& query,
                                const std::string& where = {});

/// Looks whether runs that the file calls running are: sets `crashed`, the reason and the end.
void check_alive(const Database& database, std::vector<RunShown>& runs);

Key resolve_key(const Database& database, std::string_view word);

}  // namespace bcx::tracker
