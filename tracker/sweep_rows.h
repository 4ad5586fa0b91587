// Sweeps and their trials as rows. What they mean stands in sweep/ledger.h; here is only how they
// are stored.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tracker/sqlite.h"

namespace bcx::tracker {

struct SweepRow {
  std::int64_t row = 0;      ///< the tables' key, good for this file only
  std::string id, short_id;  ///< UUIDv7, and its last 8 digits
  std::string name;
  std::string status;  ///< running | finished | stopped | failed: as last written
  std::string method, pruner, objective, direction;
  std::string config;  ///< JSON: sweep/plan.h
  std::int64_t started = 0;
  std::optional<std::int64_t> ended;
};

struct TrialRow {
  std::int64_t number = 0;
  std::string parameters;  ///< JSON: {"train.batch_size": 16}
  std::string state;  ///< waiting | running | finished | pruned | failed | infeasible | stopped
  std::int64_t attempts = 0;
  std::string run;  ///< id of its newest run; empty: none yet, or it was removed
  std::optional<double> value;
  std::string message;
  std::optional<std::int64_t> started, ended;  ///< microseconds since 1970, UTC
};

/// Newest first.
std::vector<SweepRow> sweeps(const Database& database);
/// What a person typed: `@last`, a name (the newest of that name), an id or the beginning of one or
/// of a short one (4 characters or more). Throws (usage), with the nearest name.
SweepRow find_sweep(const Database& database, std::string_view what);
/// In the order of their numbers.
std::vector<TrialRow> trials(const Database& database, std::int64_t sweep);

// Inside the caller's transaction.
SweepRow insert_sweep(Database& database, const std::string& name, const std::string& method,
                      const std::string& pruner, const std::string& objective, bool maximize,
                      const std::string& config);
void update_sweep(Database& database, std::int64_t sweep, std::string_view status,
                  const std::string& config);
/// Adds a trial, or replaces everything but its run.
void put_trial(Database& database, std::int64_t sweep, const TrialRow& trial);
/// The trial's next process begins a run of its own.
void forget_run(Database& database, std::int64_t sweep, std::int64_t number);

}  // namespace bcx::tracker
