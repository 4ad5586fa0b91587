// `bcx runs --group-by KEY`: runs that differ in seed or fold alone, as one line.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "runs_columns.h"

namespace bcx::cli {

/// A metric over the runs of a group that have a number for it: the mean, the sample standard
/// deviation (divided by n - 1; NaN for one run), and how many runs those are.
struct Spread {
  double mean = 0, deviation = 0;
  std::int64_t count = 0;
};

struct RunGroup {
  std::string value;        ///< of the key; empty: these runs have none
  tracker::RunShown first;  ///< one of them
  std::int64_t runs = 0;
  std::vector<Spread> metrics;  ///< as in the columns given
};

/// In the order in which the runs first show a value. Metrics of `metrics`' keys.
std::vector<RunGroup> group_runs(const std::vector<tracker::RunShown>& runs, const ShownColumn& key,
                                 const std::vector<ShownColumn>& metrics);

/// `0.9123 ± 0.011` in one cell; for programs mean, sd and n in columns of their own.
Table group_table(const std::vector<RunGroup>& groups, const ShownColumn& key,
                  const std::vector<ShownColumn>& metrics, bool for_programs);
nlohmann::ordered_json group_json(const std::vector<RunGroup>& groups, const ShownColumn& key,
                                  const std::vector<ShownColumn>& metrics);

}  // namespace bcx::cli
