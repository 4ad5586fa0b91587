// A sweep's value over two of its parameters, in the terminal.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <optional>

#include "base/error.h"
#include "base/text.h"
#include "sweep_text.h"

namespace bcx::cli {
namespace {

using sweep::Axis;

constexpr std::size_t most_columns = 8;  // a parameter with more values is cut into parts
constexpr std::array shades{" ", "░", "▒", "▓", "█"};
// The grey ramp of 256 colours: from dark on white letters to light on black ones.
constexpr int first_grey = 234, greys = 20;

/// What stands along one side: each value, or parts of a range.
class Side {
 public:
  Side(const Axis& axis, const std::vector<sweep::Ranked>& ranking) : axis_(axis) {
    for (const auto& one : ranking)
      if (const auto found = one.point.find(axis.key); found != one.point.end())
        if (std::find(values_.begin(), values_.end(), found->second) == values_.end())
          values_.push_back(found->second);
    if (axis.ordered())
      std::sort(values_.begin(), values_.end(), [&](const auto& a, const auto& b) {
        return axis.coordinate(a) < axis.coordinate(b);
      });
    else
      std::sort(values_.begin(), values_.end(), [&](const auto& a, const auto& b) {
        return place_of_choice(a) < place_of_choice(b);
      });
    parts_ = axis.ordered() && values_.size() > most_columns;
    for (std::size_t i = 0; i < (parts_ ? most_columns : values_.size()); ++i)
      labels_.push_back(parts_ ? "≥" + short_value(axis.at(static_cast<double>(i) /
                                                           static_cast<double>(most_columns)))
                               : short_value(values_[i]));
  }

  const std::vector<std::string>& labels() const { return labels_; }
  std::optional<std::size_t> place(const sweep::Point& point) const {
    const auto found = point.find(axis_.key);
    if (found == point.end()) return std::nullopt;
    if (!parts_)
      return static_cast<std::size_t>(std::find(values_.begin(), values_.end(), found->second) -
                                      values_.begin());
    const double at = axis_.coordinate(found->second) * static_cast<double>(most_columns);
    return std::min(static_cast<std::size_t>(std::max(at, 0.0)), most_columns - 1);
  }

 private:
  std::ptrdiff_t place_of_choice(const config::Value& value) const {
    return std::find(axis_.choices.begin(), axis_.choices.end(), value) - axis_.choices.begin();
  }
  const Axis& axis_;
  std::vector<config::Value> values_;
  std::vector<std::string> labels_;
  bool parts_ = false;
};

const Axis& axis_named(const sweep::Plan& plan, const std::string& key) {
  std::vector<std::string> keys;
  for (const auto& axis : plan.space.axes) {
    if (axis.key == key || axis.key.ends_with("." + key)) return axis;
    keys.push_back(axis.key);
  }
  const auto near = did_you_mean(key.substr(0, 64), keys);
  throw Error(ExitCode::usage,
              {fmt::format("\"{}\" is no parameter of this sweep", printable(clip(key, 60))),
               plan.name, near.empty() ? "it has " + join(keys, ", ") : near});
}

std::string padded(const std::string& text, int width) {
  return std::string(static_cast<std::size_t>(std::max(0, width - display_width(text))), ' ') +
         text;
}

/// `0.9123▓`, or the number on a shade of grey.
std::string cell(double value, double share, int width, bool colour) {
  const auto number = padded(objective_text(value), width - 2);
  if (!colour) {
    const auto shade = std::lround(share * static_cast<double>(shades.size() - 1));
    return number + " " + shades[static_cast<std::size_t>(shade)];
  }
  const auto grey = first_grey + static_cast<int>(std::lround(share * greys));
  return fmt::format("\x1b[48;5;{}m\x1b[38;5;{}m{}  \x1b[0m", grey,
                     grey > first_grey + greys / 2 ? 16 : 231, number);
}

struct Cells {
  std::map<std::pair<std::size_t, std::size_t>, double> values;
  double best = 0, worst = 0;  // costs between which the shades lie
  int width = 0;               // of the widest number
};

/// The best of the points that fall into a cell.
Cells cells_of(const SweepState& state, const Side& rows, const Side& columns) {
  Cells cells;
  const auto& plan = state.ledger.plan();
  for (const auto& one : state.ranking) {
    const auto row = rows.place(one.point), column = columns.place(one.point);
    if (!row || !column || !std::isfinite(one.mean)) continue;
    const auto [at, fresh] = cells.values.try_emplace({*row, *column}, one.mean);
    if (!fresh && plan.cost(one.mean) < plan.cost(at->second)) at->second = one.mean;
  }
  std::vector<double> costs;
  for (const auto& [at, value] : cells.values) {
    costs.push_back(plan.cost(value));
    cells.width = std::max(cells.width, display_width(objective_text(value)));
  }
  if (costs.empty()) return cells;
  cells.best = *std::min_element(costs.begin(), costs.end());
  cells.worst = worst_shown(costs);
  return cells;
}

}  // namespace

std::optional<report::SweepFigures::HeatMap> heat_map_of(const SweepState& state,
                                                         const std::string& x,
                                                         const std::string& y) {
  const auto& plan = state.ledger.plan();
  if (plan.space.axes.size() < 2) return std::nullopt;
  const auto& down = y.empty() ? plan.space.axes[0] : axis_named(plan, y);
  const auto& across = x.empty() ? plan.space.axes[1] : axis_named(plan, x);
  const Side rows(down, state.ranking), columns(across, state.ranking);
  const auto cells = cells_of(state, rows, columns);
  if (cells.values.empty()) return std::nullopt;
  report::SweepFigures::HeatMap map{down.key, across.key, rows.labels(), columns.labels(), {}};
  map.values.assign(rows.labels().size(),
                    std::vector<double>(columns.labels().size(), report::SweepFigures::none));
  for (const auto& [at, value] : cells.values) map.values[at.first][at.second] = value;
  return map;
}

std::string heat_map_text(const SweepState& state, const std::string& x, const std::string& y,
                          int width, bool colour) {
  const auto& plan = state.ledger.plan();
  if (plan.space.axes.size() < 2) return {};
  const auto& down = y.empty() ? plan.space.axes[0] : axis_named(plan, y);
  const auto& across = x.empty() ? plan.space.axes[1] : axis_named(plan, x);
  const Side rows(down, state.ranking), columns(across, state.ranking);
  const auto cells = cells_of(state, rows, columns);
  if (cells.values.empty()) return {};
  int label = display_width(down.key), each = cells.width + 3;
  for (const auto& text : rows.labels()) label = std::max(label, display_width(text));
  for (const auto& text : columns.labels()) each = std::max(each, display_width(text) + 2);
  const auto count = static_cast<int>(columns.labels().size());
  if (width > 0) label = std::min(label, std::max(4, width - count * each - 1));

  std::string text =
      fmt::format("{} over {} (down) and {} (across){}\n", plan.objective, down.key, across.key,
                  plan.space.axes.size() > 2 ? ", the best over the others" : "");
  std::string head = padded(clip(down.key.substr(down.key.rfind('.') + 1), label), label);
  for (const auto& one : columns.labels()) head += padded(one, each - 2) + "  ";
  text += head + "\n";
  for (std::size_t row = 0; row < rows.labels().size(); ++row) {
    text += padded(clip(rows.labels()[row], label), label);
    for (std::size_t column = 0; column < columns.labels().size(); ++column) {
      const auto found = cells.values.find({row, column});
      if (found == cells.values.end()) {
        text += padded("·", each - 2) + "  ";
        continue;
      }
      const double span = cells.worst - cells.best;
      const double share =
          span > 0 ? std::max((cells.worst - plan.cost(found->second)) / span, 0.0) : 1.0;
      text += cell(found->second, share, each, colour);
    }
    text += "\n";
  }
  return text + fmt::format("{} is best: {}\n", colour ? "light" : shades.back(),
                            objective_text(plan.cost(cells.best)));
}

}  // namespace bcx::cli
