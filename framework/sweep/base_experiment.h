// The experiment that a sweep sets its values over: what each trial would be, checked before any
// runs.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "config/load.h"
#include "config/problems.h"
#include "sweep/parameters.h"
#include "sweep/plan.h"

namespace bcx::sweep {

class BaseExperiment {
 public:
  /// `tree` without [sweep], and `options` without its keys. Mistakes go to `problems`; those that
  /// are there already count as the experiment's own.
  BaseExperiment(config::Node tree, config::LoadOptions options, const config::Catalog& catalog,
                 config::Problems& problems);

  /// Without any parameter set.
  const config::Experiment& experiment() const { return experiment_; }
  /// It has no mistakes of its own.
  bool is_whole() const { return whole_; }

  /// Every value of `written` set over the experiment, together with what its conditions want of
  /// `earlier` axes: what is wrong with one is told where it was written, and what is right gets
  /// its key's type.
  void try_values(WrittenAxis& written, const std::vector<Axis>& earlier,
                  config::Problems& problems) const;

  /// Each point of the plan's grid, at most 1,000, set over the experiment. Mistakes are told at
  /// `place`.
  void try_grid(const Plan& plan, const config::Origin& place, config::Problems& problems) const;

 private:
  config::Experiment load(const std::vector<std::string>& sets, config::Problems& problems) const;
  bool tell(const config::Problems& found, const WrittenAxis& written, const config::Origin& origin,
            std::set<std::string>& told, config::Problems& problems) const;
  std::optional<config::Value> typed_value(const config::Experiment& experiment,
                                           const std::string& key, const config::Node& node) const;

  config::Node tree_;
  config::LoadOptions options_;
  const config::Catalog& catalog_;
  config::Experiment experiment_;
  bool whole_ = false;
};

}  // namespace bcx::sweep
