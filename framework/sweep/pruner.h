// Which trials end early, and which of those go on later. Pure functions of the trials' curves: who
// asks, and when, makes no difference.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "sweep/plan.h"

namespace bcx::sweep {

/// What pruning knows of a trial. Costs: smaller is better (Plan::cost).
struct Course {
  std::int64_t number = 0;
  std::vector<double> costs;  ///< after epoch 1, 2, ...; may hold what is not finite
  bool finished = false;      ///< came to its last epoch
  bool pruned = false;        ///< waits at a rung

  /// The least cost of the first `epochs` epochs; infinity without any.
  double best(std::int64_t epochs) const;
  std::int64_t epochs() const { return static_cast<std::int64_t>(costs.size()); }
};

/// asha       asynchronous successive halving (Li, Jamieson, Rostamizadeh, Gonina, Hardt, Recht and
///            Talwalkar, "A system for massively parallel hyperparameter tuning", MLSys 2020).
///            Rungs are after min_epochs, times `reduction`, and so on; a trial goes on from a rung
///            when it is among the best floor(n / reduction) of the n that have come there, and
///            waits otherwise: it goes on when others have made n large enough.
/// hyperband  asha in brackets that begin at different rungs (Li, Jamieson, DeSalvo, Rostamizadeh
///            and Talwalkar, "Hyperband", JMLR 2018); trials are dealt to them in the paper's
///            proportions by their numbers.
/// median     the median stopping rule (Golovin et al., "Google Vizier", KDD 2017): a trial ends
///            when its best value is worse than the median of the finished trials' averages up to
///            the same epoch. Those stay as they are.
class Pruner {
 public:
  /// `epochs`: of a whole trial.
  Pruner(PrunerSettings settings, std::int64_t epochs);

  /// Epochs after which this trial may end early, rising; for `median` every one.
  std::vector<std::int64_t> rungs(std::int64_t number) const;

  /// Whether the trial, which has come to the end of an epoch, ends there. `all` holds it too, and
  /// no trial that is no part of the search.
  bool stops(const Course& trial, const std::vector<Course>& all) const;

  /// The waiting trial that is to go on next: of the highest rung, the best.
  std::optional<std::int64_t> promotable(const std::vector<Course>& all) const;

  /// hyperband: which bracket the trial is in, from 0, the one with the most rungs.
  std::int64_t bracket(std::int64_t number) const;

 private:
  bool passes(const Course& trial, std::int64_t rung, const std::vector<Course>& all) const;

  PrunerSettings settings_;
  std::int64_t epochs_;
  std::vector<std::int64_t> all_rungs_;
  std::vector<std::int64_t> dealt_;  // hyperband: trials of each bracket in one round
};

}  // namespace bcx::sweep
