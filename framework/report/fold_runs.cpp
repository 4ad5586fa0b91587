#include "report/fold_runs.h"

#include <algorithm>
#include <map>

namespace bcx::report {

using tracker::Reader;
using tracker::RunShown;

std::int64_t fold_of(const RunShown& run) {
  const auto found = run.params.find("data.split.fold");
  const auto* fold =
      found == run.params.end() ? nullptr : std::get_if<std::int64_t>(&found->second.value);
  return fold ? *fold : -1;
}

bool is_folds(const RunShown& run) {
  return run.params.contains(folds_key);
}

std::vector<RunShown> fold_runs(const Reader& reader, const RunShown& parent) {
  tracker::RunQuery query;
  query.all_keys = true;
  query.filter = "parent = \"" + parent.id + "\"";
  std::map<std::int64_t, RunShown> newest;  // a list is newest first
  for (auto& run : reader.runs(query))
    if (const auto fold = fold_of(run); fold >= 0) newest.try_emplace(fold, std::move(run));
  std::vector<RunShown> runs;
  for (auto& [fold, run] : newest) runs.push_back(std::move(run));
  return runs;
}

}  // namespace bcx::report
