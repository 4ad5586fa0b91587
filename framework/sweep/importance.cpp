#include "sweep/importance.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "base/philox.h"
#include "sweep/regression_tree.h"

namespace bcx::sweep {
namespace {

constexpr std::int64_t tree_count = 64;

Table table_of(const Space& space, const std::vector<Outcome>& trials) {
  Table table;
  for (const auto& axis : space.axes) table.choices.push_back(std::ssize(axis.choices));
  for (const auto& trial : trials) {
    if (!std::isfinite(trial.value)) continue;
    std::vector<double> row;
    for (const auto& axis : space.axes) {
      const auto found = trial.point.find(axis.key);
      if (found == trial.point.end())
        row.push_back(Table::absent);
      else if (axis.ordered())
        row.push_back(std::clamp(axis.coordinate(found->second), 0.0, 1.0));
      else
        row.push_back(
            static_cast<double>(std::find(axis.choices.begin(), axis.choices.end(), found->second) -
                                axis.choices.begin()));
      // A choice that the sweep no longer has says nothing about those it has.
      if (!axis.ordered() && row.back() >= static_cast<double>(axis.choices.size()))
        row.back() = Table::absent;
    }
    table.rows.push_back(std::move(row));
    table.values.push_back(trial.value);
  }
  return table;
}

std::string problem_of(const Table& table) {
  const auto trials = std::ssize(table.values), axes = std::ssize(table.choices);
  const auto needed = std::max<std::int64_t>(8, 4 * axes);
  if (axes == 0) return "no parameters";
  if (trials < needed)
    return fmt::format("too few trials: {} with a value, and {} are needed for {} parameter{}",
                       trials, needed, axes, axes == 1 ? "" : "s");
  const auto [low, high] = std::minmax_element(table.values.begin(), table.values.end());
  return *low < *high ? "" : fmt::format("all {} trials have the same value", trials);
}

/// R² of the means of those trees that did not see a row.
class OutOfBag {
 public:
  explicit OutOfBag(const Table& table)
      : table_(table), sums_(table.values.size(), 0.0), counts_(table.values.size(), 0) {}

  void add(const std::vector<Box>& boxes, const std::vector<double>& weights) {
    for (std::size_t i = 0; i < weights.size(); ++i) {
      if (weights[i] > 0) continue;
      sums_[i] += predict(boxes, table_.rows[i]);
      ++counts_[i];
    }
  }
  double r_squared() const {
    double mean = 0, n = 0;
    for (std::size_t i = 0; i < counts_.size(); ++i)
      if (counts_[i] > 0) mean += table_.values[i], ++n;
    mean /= n;
    double error = 0, whole = 0;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      if (counts_[i] == 0) continue;
      const double residual = table_.values[i] - sums_[i] / counts_[i];
      error += residual * residual;
      whole += (table_.values[i] - mean) * (table_.values[i] - mean);
    }
    return 1 - error / whole;
  }

 private:
  const Table& table_;
  std::vector<double> sums_;
  std::vector<int> counts_;
};

std::vector<double> bootstrap(std::uint64_t seed, std::int64_t tree, std::size_t rows) {
  const Stream stream(seed, "sweep.importance", 0, static_cast<std::uint64_t>(tree));
  std::vector<double> weights(rows, 0.0);
  for (std::size_t i = 0; i < rows; ++i) weights[stream.below(i, rows)] += 1;
  return weights;
}

}  // namespace

Importances importance(const Space& space, const std::vector<Outcome>& trials, std::uint64_t seed) {
  const Table table = table_of(space, trials);
  Importances out;
  out.trials = std::ssize(table.values);
  if (out.problem = problem_of(table); !out.problem.empty()) return out;

  const auto axes = space.axes.size();
  std::vector<double> squares(axes, 0.0);
  for (const auto& axis : space.axes) out.parameters.push_back({axis.key, 0, 0, 0});
  OutOfBag unseen(table);
  double used = 0;
  for (std::int64_t tree = 0; tree < tree_count; ++tree) {
    const auto weights = bootstrap(seed, tree, table.rows.size());
    const auto boxes = grow_tree(table, weights);
    unseen.add(boxes, weights);
    const auto parts = variances(boxes);
    if (!(parts.whole > 0)) continue;  // drew rows of one value only
    ++used;
    for (std::size_t a = 0; a < axes; ++a) {
      const double total = 1 - parts.without[a] / parts.whole;
      out.parameters[a].main += parts.of[a] / parts.whole;
      out.parameters[a].total += total;
      squares[a] += total * total;
    }
  }
  for (std::size_t a = 0; a < axes; ++a) {
    auto& one = out.parameters[a];
    one.main = std::clamp(one.main / used, 0.0, 1.0);
    one.total = std::clamp(one.total / used, 0.0, 1.0);
    one.spread = std::sqrt(std::max(0.0, squares[a] / used - one.total * one.total));
  }
  out.explained = unseen.r_squared();
  std::stable_sort(out.parameters.begin(), out.parameters.end(),
                   [](const auto& a, const auto& b) { return a.total > b.total; });
  return out;
}

}  // namespace bcx::sweep
