// How a sweep is shown: tables, a heat map, its history, JSON.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "report/sweep_report.h"
#include "sweep/importance.h"
#include "sweep/ledger.h"
#include "sweep/ranking.h"

namespace bcx::cli {

/// A sweep as it stands.
struct SweepState {
  explicit SweepState(const sweep::Ledger& ledger);

  const sweep::Ledger& ledger;
  std::vector<sweep::Trial> trials;
  std::vector<sweep::Course> courses;
  std::vector<sweep::Ranked> ranking;

  std::int64_t count(std::string_view state) const;
};

/// `16 trials: 12 finished, 2 running, 2 waiting`.
std::string counts_text(const SweepState& state);
/// The best points, `top` of them (0: all).
std::string ranking_text(const SweepState& state, std::int64_t top, int width);
/// Every trial.
std::string trials_text(const SweepState& state, int width);
/// The mean over seeds, the best over other parameters, for two parameters; ranges are cut into at
/// most 8 parts. Empty `x` and `y`: the first two parameters. Empty text with fewer than two
/// parameters or without a value. `colour`: shades as backgrounds of 256 colours, else as block
/// characters. Throws (usage) for a key that is no parameter.
std::string heat_map_text(const SweepState& state, const std::string& x, const std::string& y,
                          int width, bool colour);
/// The same numbers for a page; none with fewer than two parameters or without a value.
std::optional<report::SweepFigures::HeatMap> heat_map_of(const SweepState& state,
                                                         const std::string& x,
                                                         const std::string& y);
/// From the trials that finished.
sweep::Importances importances_of(const SweepState& state);
/// How sure they are, or why there are none; a sentence.
std::string importance_note(const sweep::Importances& found);
std::string importance_text(const SweepState& state, int width);
/// What a page shows. `state` outlives nothing of it.
report::SweepFigures figures_of(const SweepState& state);
/// The best value so far over the trials, in the order in which they ended.
std::string history_text(const SweepState& state, int width);

/// `16`, `0.000316`, `densenet201`: three significant digits, words without quotes.
std::string short_value(const config::Value& value);
/// `train.batch_size=16 optimizer.learning_rate=0.000316`.
std::string short_text(const sweep::Point& point);
/// `0.9123`, `1.838e+28`: what a table has room for.
std::string objective_text(double value);
/// The cost from which one is only "bad": a diverged trial's would leave nothing of the others in a
/// picture. Four times as far from the median as the best is, or the worst there is.
double worst_shown(std::vector<double> costs);

nlohmann::ordered_json sweep_json(const SweepState& state);
nlohmann::ordered_json trial_json(const sweep::Ledger& ledger, const sweep::Trial& trial);

}  // namespace bcx::cli
