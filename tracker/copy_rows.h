// A run's rows from one tracker into another.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tracker/sqlite.h"

namespace bcx::tracker {

/// Copies runs between two open trackers. Ids that are good for one file only (of keys, data sets,
/// splits, evaluations) are translated; everything else stays as it is, times too. The caller holds
/// the target's transaction. The source may be of an older schema: what it lacks is left out.
class RowCopier {
 public:
  RowCopier(const Database& source, Database& target) : source_(source), target_(target) {}

  /// The run of row `from`, to be found in `folder`. A copy of it that is there is replaced in
  /// place, its tags and notes kept. Returns its row in the target. Throws (storage) when a path of
  /// the source leads out of the run's folder's folder.
  std::int64_t run(std::int64_t from, const std::string& folder);
  /// Sets parents that were not there when their children came, copies the sweeps of copied runs
  /// (or every one), and counts looks. After the last run.
  void finish(bool every_sweep);
  /// A sweep with its trials. Of one that is there: trials that are not, and those that something
  /// happened to later than there. A trial's run stays when the source does not have it.
  void sweep(std::int64_t from);

 private:
  using Translate = std::function<std::int64_t(std::int64_t)>;  // 0: NULL
  using Columns = std::map<std::string, Translate>;
  using Copied = std::function<void(std::int64_t from_id)>;
  void copy(const std::string& table, const std::string& where, std::int64_t from,
            const Columns& translated, const Copied& copied = {});
  std::vector<std::string> common_columns(const std::string& table) const;
  std::int64_t key(std::int64_t from);
  std::int64_t shared(const std::string& table, std::int64_t from);
  std::int64_t run_of(std::int64_t from) const;
  void evaluations(std::int64_t from, std::int64_t to);
  void move_paths(std::int64_t run, const std::string& from, const std::string& to);
  std::set<std::int64_t> sweeps_of_copied_runs() const;

  const Database& source_;
  Database& target_;
  std::map<std::int64_t, std::int64_t> keys_, evaluations_;
  std::map<std::string, std::map<std::int64_t, std::int64_t>> shared_;
};

}  // namespace bcx::tracker
