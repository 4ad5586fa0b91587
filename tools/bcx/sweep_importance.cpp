// Which parameters of a sweep mattered, and all that its page shows.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/table.h"
#include "sweep_text.h"

namespace bcx::cli {
namespace {

using report::SweepFigures;

std::vector<std::string> ticks_of(const sweep::Axis& axis) {
  std::vector<std::string> ticks;
  if (!axis.ordered())
    for (const auto& choice : axis.choices) ticks.push_back(short_value(choice));
  else if (axis.scale == sweep::Axis::Scale::integer)
    ticks = {short_value(axis.at(0)), short_value(axis.at(1))};
  else
    for (const double at : {0.0, 0.5, 1.0}) ticks.push_back(short_value(axis.at(at)));
  return ticks;
}

SweepFigures::Setting setting_of(const sweep::Axis& axis, const sweep::Point& point) {
  const auto found = point.find(axis.key);
  if (found == point.end()) return {};
  SweepFigures::Setting setting{short_value(found->second), 0.5};
  if (axis.scale == sweep::Axis::Scale::integer) {
    const auto value = static_cast<double>(std::get<std::int64_t>(found->second));
    if (axis.high > axis.low) setting.place = (value - axis.low) / (axis.high - axis.low);
  } else if (axis.ordered()) {
    setting.place = axis.coordinate(found->second);
  } else if (axis.choices.size() > 1) {
    const auto index =
        std::find(axis.choices.begin(), axis.choices.end(), found->second) - axis.choices.begin();
    setting.place = static_cast<double>(index) / static_cast<double>(axis.choices.size() - 1);
  }
  return setting;
}

/// Of the first two parameters, and of the two that mattered most.
std::vector<SweepFigures::HeatMap> heat_maps(const SweepState& state,
                                             const sweep::Importances& found) {
  std::vector<SweepFigures::HeatMap> maps;
  if (auto map = heat_map_of(state, "", "")) maps.push_back(std::move(*map));
  if (maps.empty() || found.parameters.size() < 3) return maps;
  const auto& a = found.parameters[0].key;
  const auto& b = found.parameters[1].key;
  const auto& first = maps.front();
  const bool same =
      (a == first.down && b == first.across) || (b == first.down && a == first.across);
  if (!same)
    if (auto map = heat_map_of(state, b, a)) maps.push_back(std::move(*map));
  return maps;
}

}  // namespace

sweep::Importances importances_of(const SweepState& state) {
  std::vector<sweep::Outcome> outcomes;
  for (const auto& trial : state.trials)
    if (trial.row.state == "finished" && trial.row.value && !trial.confirms())
      outcomes.push_back({trial.point, *trial.row.value});
  return sweep::importance(state.ledger.plan().space, outcomes);
}

std::string importance_note(const sweep::Importances& found) {
  if (!found.problem.empty()) return found.problem;
  if (found.explained <= 0)
    return fmt::format(
        "From {} trials, whose values cannot be told from noise: do not go by these.",
        found.trials);
  return fmt::format(
      "Shares of the variance over the whole space (functional ANOVA), from {} finished trials; a "
      "forest explains {:.0f} % of the variance of trials that it did not see.",
      found.trials, 100 * found.explained);
}

std::string importance_text(const SweepState& state, int width) {
  const auto found = importances_of(state);
  if (!found.problem.empty()) return "importance: " + found.problem + "\n";
  Table table({{"importance", Align::left, 0},
               {"alone", Align::right, 0},
               {"with others", Align::right, 0},
               {"", Align::left, 1}});
  constexpr double longest = 30;
  for (const auto& one : found.parameters) {
    std::string bar;
    for (auto i = std::lround(one.total * longest); i > 0; --i) bar += "█";
    table.add({one.key, fmt::format("{:.2f}", one.main),
               fmt::format("{:.2f} ± {:.2f}", one.total, one.spread), bar});
  }
  return table.text(width) + importance_note(found) + "\n";
}

SweepFigures figures_of(const SweepState& state) {
  const auto& sweep = state.ledger.sweep();
  const auto& plan = state.ledger.plan();
  SweepFigures figures;
  figures.name = sweep.name;
  figures.id = sweep.short_id;
  figures.objective = plan.objective;
  figures.maximize = plan.maximize;
  figures.about =
      fmt::format("{}{}, by {} {}; {}", plan.method,
                  plan.pruner.name == "none" ? "" : " with " + plan.pruner.name,
                  plan.maximize ? "highest" : "lowest", plan.objective, counts_text(state));
  for (const auto& axis : plan.space.axes)
    figures.parameters.push_back({axis.key, sweep::text_of(axis), ticks_of(axis)});
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < state.trials.size(); ++i)
    if (!state.trials[i].confirms()) order.push_back(i);
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) {
    const auto& x = state.trials[a].row.ended;
    const auto& y = state.trials[b].row.ended;
    return x && y ? *x < *y : x.has_value() && !y;
  });
  for (const auto i : order) {
    const auto& trial = state.trials[i];
    const auto& row = trial.row;
    const double seconds = state.ledger.seconds(trial);
    SweepFigures::Trial shown{row.number,
                              row.state,
                              {},
                              row.value.value_or(SweepFigures::none),
                              seconds > 0 ? seconds : SweepFigures::none,
                              state.courses[i].epochs(),
                              row.run.empty() ? "" : row.run.substr(row.run.size() - 8),
                              row.message};
    for (const auto& axis : plan.space.axes)
      shown.parameters.push_back(setting_of(axis, trial.point));
    figures.trials.push_back(std::move(shown));
  }
  const auto found = importances_of(state);
  for (const auto& one : found.parameters)
    figures.importances.push_back({one.key, one.main, one.total, one.spread});
  figures.importance_note = importance_note(found);
  figures.heat_maps = heat_maps(state, found);
  return figures;
}

}  // namespace bcx::cli
