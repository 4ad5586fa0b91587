#include "sweep_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "base/table.h"
#include "base/text.h"
#include "tracker/plot.h"
#include "tracker_text.h"

namespace bcx::cli {
namespace {

using nlohmann::ordered_json;
using sweep::Ranked;
using sweep::Trial;

/// The last part of a key, for a table's head, unless two have the same.
std::vector<std::string> short_keys(const sweep::Plan& plan) {
  std::vector<std::string> keys;
  for (const auto& axis : plan.space.axes) {
    const auto last = axis.key.substr(axis.key.rfind('.') + 1);
    const auto same = std::count_if(
        plan.space.axes.begin(), plan.space.axes.end(),
        [&](const auto& other) { return other.key.substr(other.key.rfind('.') + 1) == last; });
    keys.push_back(same > 1 || last == "enabled" || last == "name" ? axis.key : last);
  }
  return keys;
}

std::string value_cell(const sweep::Point& point, const std::string& key) {
  const auto found = point.find(key);
  return found == point.end() ? "" : short_value(found->second);
}

ordered_json number_json(const std::optional<double>& value) {
  return value && std::isfinite(*value) ? ordered_json(*value) : ordered_json();
}

ordered_json point_json(const sweep::Point& point) {
  auto j = ordered_json::object();
  for (const auto& [key, value] : point) j[key] = sweep::to_json(value);
  return j;
}

}  // namespace

std::string short_value(const config::Value& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* real = std::get_if<double>(&value)) return fmt::format("{:.3g}", *real);
  return config::to_toml(value);
}

std::string short_text(const sweep::Point& point) {
  std::vector<std::string> parts;
  for (const auto& [key, value] : point) parts.push_back(key + "=" + short_value(value));
  return join(parts, " ");
}

std::string objective_text(double value) {
  const double size = std::abs(value);
  return size != 0 && (size < 1e-3 || size >= 1e4) ? fmt::format("{:.4g}", value)
                                                   : fmt::format("{:.4f}", value);
}

double worst_shown(std::vector<double> costs) {
  std::sort(costs.begin(), costs.end());
  if (costs.empty()) return 0;
  const double best = costs.front(), middle = costs[costs.size() / 2];
  return middle > best ? std::min(costs.back(), middle + 4 * (middle - best)) : costs.back();
}

SweepState::SweepState(const sweep::Ledger& source)
    : ledger(source),
      trials(source.trials()),
      courses(source.courses(trials)),
      ranking(sweep::rank(source.plan(), trials, courses)) {}

std::int64_t SweepState::count(std::string_view state) const {
  return std::count_if(trials.begin(), trials.end(),
                       [&](const Trial& trial) { return trial.row.state == state; });
}

std::string counts_text(const SweepState& state) {
  std::vector<std::string> parts;
  for (const char* name :
       {"finished", "pruned", "running", "waiting", "stopped", "infeasible", "failed"})
    if (const auto count = state.count(name)) parts.push_back(fmt::format("{} {}", count, name));
  const auto here = std::ssize(state.trials);
  const auto all = state.ledger.plan().trial_count();
  const auto confirming = std::count_if(state.trials.begin(), state.trials.end(),
                                        [](const Trial& trial) { return trial.confirms(); });
  std::string text = fmt::format("{} trial{}", here, here == 1 ? "" : "s");
  if (all > here - confirming) text += fmt::format(" of {}", all);
  return parts.empty() ? text : text + ": " + join(parts, ", ");
}

std::string ranking_text(const SweepState& state, std::int64_t top, int width) {
  const auto& plan = state.ledger.plan();
  const bool seeds = std::any_of(state.ranking.begin(), state.ranking.end(),
                                 [](const Ranked& one) { return one.values.size() > 1; });
  std::vector<Column> columns{{"", Align::right, 0}};
  for (const auto& key : short_keys(plan)) columns.push_back({key, Align::right, 1});
  columns.push_back({plan.objective, Align::right, 0});
  if (seeds) {
    columns.push_back({plan.maximize ? "at least" : "at most", Align::right, 0});
    columns.push_back({"seeds", Align::right, 1});
  }
  columns.push_back({"epochs", Align::right, 1});
  columns.push_back({"trials", Align::left, 2});
  Table table(columns);
  std::int64_t place = 0;
  for (const auto& one : state.ranking) {
    if (top > 0 && place == top) break;
    std::vector<std::string> row{std::to_string(++place)};
    for (const auto& axis : plan.space.axes) row.push_back(value_cell(one.point, axis.key));
    row.push_back(objective_text(one.mean));
    if (seeds) {
      row.push_back(objective_text(one.bound));
      row.push_back(std::to_string(one.values.size()));
    }
    row.push_back(std::to_string(one.epochs));
    std::vector<std::string> numbers;
    for (const auto number : one.trials) numbers.push_back(std::to_string(number));
    row.push_back(join(numbers, ",") + (one.broken     ? " (one failed)"
                                        : one.finished ? ""
                                                       : " (not finished)"));
    table.add(row);
  }
  if (table.empty()) return "no trial has a value yet\n";
  auto text = table.text(width);
  if (seeds)
    text += fmt::format(
        "{}: 95 % bound of the mean over seeds, with the spread over seeds of all points\n",
        plan.maximize ? "at least" : "at most");
  return text;
}

std::string trials_text(const SweepState& state, int width) {
  const auto& plan = state.ledger.plan();
  std::vector<Column> columns{{"trial", Align::right, 0}};
  for (const auto& key : short_keys(plan)) columns.push_back({key, Align::right, 1});
  if (plan.seeds > 1) columns.push_back({"seed", Align::right, 1});
  columns.push_back({plan.objective, Align::right, 0});
  columns.push_back({"epochs", Align::right, 1});
  columns.push_back({"state", Align::left, 0});
  columns.push_back({"time", Align::right, 2});
  columns.push_back({"run", Align::left, 1});
  columns.push_back({"", Align::left, 3});
  Table table(columns);
  for (std::size_t i = 0; i < state.trials.size(); ++i) {
    const auto& trial = state.trials[i];
    const auto& row = trial.row;
    std::vector<std::string> cells{std::to_string(row.number)};
    for (const auto& axis : plan.space.axes) cells.push_back(value_cell(trial.point, axis.key));
    if (plan.seeds > 1) cells.push_back(value_cell(trial.set, "experiment.seed"));
    cells.push_back(row.value ? objective_text(*row.value) : "");
    cells.push_back(state.courses[i].epochs() > 0 ? std::to_string(state.courses[i].epochs()) : "");
    cells.push_back(trial.confirms() ? row.state + ", confirms" : row.state);
    const double seconds = state.ledger.seconds(trial);
    cells.push_back(seconds > 0 ? human_duration(seconds) : "");
    cells.push_back(row.run.empty() ? "" : row.run.substr(row.run.size() - 8));
    cells.push_back(row.message);
    table.add(cells);
  }
  return table.text(width);
}

std::string history_text(const SweepState& state, int width) {
  const auto& plan = state.ledger.plan();
  std::vector<const Trial*> order;
  for (const auto& trial : state.trials)
    if (trial.row.value && trial.row.ended && !trial.confirms()) order.push_back(&trial);
  if (order.size() < 2) return {};
  std::stable_sort(order.begin(), order.end(),
                   [](const Trial* a, const Trial* b) { return *a->row.ended < *b->row.ended; });
  tracker::PlotSeries values{"each", {}, {}}, best{"best so far", {}, {}};
  std::vector<double> costs;
  for (const auto* trial : order) costs.push_back(plan.cost(*trial->row.value));
  const double worst = worst_shown(costs);
  double so_far = *order.front()->row.value;
  for (const auto* trial : order) {
    const double value = *trial->row.value;
    if (plan.cost(value) < plan.cost(so_far)) so_far = value;
    const auto place = static_cast<double>(best.x.size() + 1);
    best.x.push_back(place);
    best.y.push_back(plan.cost(std::min(plan.cost(so_far), worst)));
    values.x.push_back(place);
    values.y.push_back(plan.cost(std::min(plan.cost(value), worst)));
  }
  const std::vector<tracker::PlotSeries> series{best, values};
  return plan.objective + "\n" +
         tracker::plot(series, "trials", {.width = width > 0 ? width : 80, .height = 10});
}

ordered_json trial_json(const sweep::Ledger& ledger, const Trial& trial) {
  const auto& row = trial.row;
  const auto time = [](const std::optional<std::int64_t>& at) {
    return at ? ordered_json(iso_time(*at)) : ordered_json();
  };
  return {{"sweep", ledger.sweep().id},
          {"trial", row.number},
          {"parameters", point_json(trial.point)},
          {"set", point_json(trial.set)},
          {"state", row.state},
          {"attempts", row.attempts},
          {"run", row.run.empty() ? ordered_json() : ordered_json(row.run)},
          {"value", number_json(row.value)},
          {"message", row.message},
          {"confirms", trial.confirms()},
          {"started", time(row.started)},
          {"ended", time(row.ended)},
          {"seconds", ledger.seconds(trial)}};
}

ordered_json sweep_json(const SweepState& state) {
  const auto& sweep = state.ledger.sweep();
  const auto& plan = state.ledger.plan();
  auto parameters = ordered_json::array();
  for (const auto& axis : plan.space.axes) parameters.push_back(ordered_json(sweep::to_json(axis)));
  auto trials = ordered_json::array();
  for (std::size_t i = 0; i < state.trials.size(); ++i) {
    auto one = trial_json(state.ledger, state.trials[i]);
    one["epochs"] = state.courses[i].epochs();
    trials.push_back(std::move(one));
  }
  auto ranking = ordered_json::array();
  for (const auto& one : state.ranking)
    ranking.push_back({{"parameters", point_json(one.point)},
                       {"trials", one.trials},
                       {"values", one.values},
                       {"mean", number_json(one.mean)},
                       {"bound", number_json(one.bound)},
                       {"epochs", one.epochs},
                       {"finished", one.finished},
                       {"broken", one.broken}});
  const auto found = importances_of(state);
  auto importances = ordered_json::array();
  for (const auto& one : found.parameters)
    importances.push_back(
        {{"key", one.key}, {"main", one.main}, {"total", one.total}, {"spread", one.spread}});
  return {{"id", sweep.id},
          {"name", sweep.name},
          {"status", sweep.status},
          {"method", plan.method},
          {"pruner", plan.pruner.name},
          {"objective", plan.objective},
          {"direction", plan.maximize ? "maximize" : "minimize"},
          {"seeds", plan.seeds},
          {"trial_count", plan.trial_count()},
          {"parameters", parameters},
          {"trials", trials},
          {"ranking", ranking},
          {"importance",
           {{"parameters", importances},
            {"explained", found.problem.empty() ? ordered_json(found.explained) : ordered_json()},
            {"note", importance_note(found)}}}};
}

}  // namespace bcx::cli
