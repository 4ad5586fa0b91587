// What the Reader's source files share.
#pragma once

#include <string>
#include <string_view>

#include "tracker/reader.h"
#include "tracker/run_list.h"
#include "tracker/sqlite.h"

namespace bcx::tracker {

struct Reader::Impl {
  Database database;

  /// The row of a run by its full id; throws (usage) when there is none.
  std::int64_t row(std::string_view id) const;
  [[noreturn]] void no_such_run(std::string_view id) const;

  /// Calls `take` with each row of `sql`, whose first parameter is the run's row.
  template <typename Take>
  void each(const std::string& sql, std::string_view run, Take take) const {
    const auto id = row(run);
    auto rows = database.prepare(sql);
    for (bool more = rows.start(id); more; more = rows.step()) take(rows);
  }
};

}  // namespace bcx::tracker
