// A sweep as it was checked: what is searched, how, for how long. Plain values; kept in the tracker
// as JSON, so that a sweep goes on as it began whatever becomes of its file.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "sweep/space.h"

namespace bcx::sweep {

/// Which trials end early. See pruner.h for the rules.
struct PrunerSettings {
  std::string name = "none";        ///< none | asha | hyperband | median
  std::int64_t reduction = 3;       ///< asha, hyperband: one of so many goes on
  std::int64_t min_epochs = 1;      ///< no trial ends before
  std::int64_t startup_trials = 5;  ///< median: finished ones before anything is pruned
};

struct Plan {
  std::string name;
  std::string method = "grid";  ///< grid | random | sobol | tpe
  PrunerSettings pruner;
  std::string objective = "val.auc";  ///< a metric of each epoch; a trial's value is its best
  bool maximize = true;
  // The budget; 0: no such limit.
  std::int64_t trials = 0;    ///< points, each of which runs `seeds` times
  double seconds = 0;         ///< wall time during which trials ran
  std::int64_t epochs = 0;    ///< of all trials together
  std::int64_t seeds = 1;     ///< runs of each point, with experiment.seed, + 1, ...
  std::int64_t attempts = 3;  ///< of a trial whose process dies without getting on
  /// infeasible: the trial is over. micro_batches: again with halved batches and doubled
  /// accumulation.
  std::string out_of_memory = "infeasible";
  Space space;

  std::uint64_t seed = 42;            ///< the experiment's; also the sampler's
  std::int64_t epochs_per_trial = 0;  ///< train.epochs
  std::int64_t batch_size = 0, accumulate = 1;
  std::int64_t threads = 0;  ///< of each trial, since a resume needs the same; 0: as the file says
  std::string experiment;    ///< TOML that trials set their values over (config::said_text)
  std::vector<std::string> plugin_paths;

  /// A value as the samplers and pruners take it: smaller is better.
  double cost(double value) const { return maximize ? -value : value; }
  /// How many trials there will be; 0: as many as the budget allows.
  std::int64_t trial_count() const;
};

nlohmann::json to_json(const Plan& plan);
/// Throws bcx::Error (data) when it is no plan of this version.
Plan plan_from_json(const nlohmann::json& json);

/// key, scale (choices, uniform, log_uniform, integer), choices, low, high, points, when.
nlohmann::json to_json(const Axis& axis);
nlohmann::json to_json(const config::Value& value);
config::Value value_from_json(const nlohmann::json& json);
nlohmann::json to_json(const Point& point);
Point point_from_json(const nlohmann::json& json);

/// SHA-256 of what decides a sweep's trials. Left out: the budget, attempts and threads, which may
/// change while it runs.
std::string hash_of(const Plan& plan);

/// `16, 32, 64` or `1e-05 to 0.01, logarithmic, 4 values`: an axis in words.
std::string text_of(const Axis& axis);

}  // namespace bcx::sweep
