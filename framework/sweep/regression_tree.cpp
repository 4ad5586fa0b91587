#include "sweep/regression_tree.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

namespace bcx::sweep {
namespace {

struct Row {
  std::size_t index;
  double weight;
};

/// Sums of a set of rows, from which its squared error about the mean follows.
struct Sums {
  double weight = 0, sum = 0;
  void add(double w, double y) { weight += w, sum += w * y; }
  /// The part of the squared error that depends on how rows are parted; larger is better.
  double gain() const { return weight > 0 ? sum * sum / weight : 0; }
};

struct Split {
  std::size_t axis = 0;
  double cut = 0;          // ranges: left is below
  std::vector<bool> left;  // choices
  double gain = 0;
};

class Grower {
 public:
  explicit Grower(const Table& table) : table_(table) {}

  std::vector<Box> grow(std::vector<Row> rows) {
    Box box;
    for (const auto count : table_.choices)
      box.sides.push_back({0, 1, std::vector<bool>(static_cast<std::size_t>(count), true)});
    grow(std::move(rows), std::move(box));
    return std::move(boxes_);
  }

 private:
  double value(const Row& row) const { return table_.values[row.index]; }
  double at(const Row& row, std::size_t axis) const { return table_.rows[row.index][axis]; }

  void grow(std::vector<Row> rows, Box box) {
    Sums all;
    for (const auto& row : rows) all.add(row.weight, value(row));
    box.value = all.sum / all.weight;
    const auto split = best_split(rows, all, box);
    if (!split) {
      boxes_.push_back(std::move(box));
      return;
    }
    auto [left, right] = halves(box, *split);
    std::vector<Row> left_rows, right_rows;
    for (const auto& row : rows)
      part(row, split->axis, left, left_rows), part(row, split->axis, right, right_rows);
    rows = {};
    grow(std::move(left_rows), std::move(left));
    grow(std::move(right_rows), std::move(right));
  }

  void part(const Row& row, std::size_t axis, const Box& half, std::vector<Row>& rows) const {
    const auto& side = half.sides[axis];
    const double x = at(row, axis);
    const double share = std::isnan(x) ? side.size() / parent_size_ : side.position(x);
    if (share > 0) rows.push_back({row.index, row.weight * share});
  }

  std::pair<Box, Box> halves(const Box& box, const Split& split) {
    std::pair<Box, Box> both{box, box};
    auto &left = both.first.sides[split.axis], &right = both.second.sides[split.axis];
    parent_size_ = left.size();
    if (left.members.empty()) {
      left.high = right.low = split.cut;
    } else {
      for (std::size_t c = 0; c < left.members.size(); ++c) {
        right.members[c] = right.members[c] && !split.left[c];
        left.members[c] = left.members[c] && split.left[c];
      }
    }
    return both;
  }

  std::optional<Split> best_split(const std::vector<Row>& rows, const Sums& all,
                                  const Box& box) const {
    const auto same = [&](const Row& row) { return value(row) == value(rows.front()); };
    if (std::all_of(rows.begin(), rows.end(), same)) return std::nullopt;
    Split best;
    bool found = false;
    for (std::size_t axis = 0; axis < table_.choices.size(); ++axis) {
      auto split = box.sides[axis].members.empty() ? split_range(rows, axis, all)
                                                   : split_choices(rows, axis, box, all);
      // The first of equals: a tree is a pure function of its rows.
      if (split && (!found || split->gain > best.gain * (1 + 1e-12)))
        best = std::move(*split), found = true;
    }
    return found ? std::optional(std::move(best)) : std::nullopt;
  }

  /// Rows without the axis are left out of the comparison: they go to both sides alike.
  std::optional<Split> split_range(const std::vector<Row>& rows, std::size_t axis,
                                   const Sums& all) const {
    std::vector<const Row*> order;
    Sums present;
    for (const auto& row : rows)
      if (!std::isnan(at(row, axis))) order.push_back(&row), present.add(row.weight, value(row));
    std::stable_sort(order.begin(), order.end(),
                     [&](const auto* a, const auto* b) { return at(*a, axis) < at(*b, axis); });
    std::optional<Split> best;
    Sums left;
    for (std::size_t i = 0; i + 1 < order.size(); ++i) {
      left.add(order[i]->weight, value(*order[i]));
      const double before = at(*order[i], axis), after = at(*order[i + 1], axis);
      if (!(before < after)) continue;
      const double gain = gain_of(left, present, all);
      if (!best || gain > best->gain) best = Split{axis, (before + after) / 2, {}, gain};
    }
    return best;
  }

  std::optional<Split> split_choices(const std::vector<Row>& rows, std::size_t axis, const Box& box,
                                     const Sums& all) const {
    const auto& members = box.sides[axis].members;
    std::vector<Sums> sums(members.size());
    Sums present;
    for (const auto& row : rows)
      if (const double x = at(row, axis); !std::isnan(x)) {
        sums[static_cast<std::size_t>(x)].add(row.weight, value(row));
        present.add(row.weight, value(row));
      }
    std::vector<std::size_t> order;
    for (std::size_t c = 0; c < sums.size(); ++c)
      if (sums[c].weight > 0) order.push_back(c);
    std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) {
      return sums[a].sum / sums[a].weight < sums[b].sum / sums[b].weight;
    });
    std::optional<Split> best;
    std::vector<bool> below(members.size(), false);
    Sums left;
    for (std::size_t i = 0; i + 1 < order.size(); ++i) {
      below[order[i]] = true;
      left.add(sums[order[i]].weight, sums[order[i]].sum / sums[order[i]].weight);
      const double gain = gain_of(left, present, all);
      if (best && gain <= best->gain) continue;
      best = Split{axis, 0, below, gain};
      // Choices that no row here has go where more rows are.
      if (2 * left.weight > present.weight)
        for (std::size_t c = 0; c < sums.size(); ++c)
          if (sums[c].weight == 0) best->left[c] = true;
    }
    return best;
  }

  /// How much smaller the squared error becomes, of the rows that have the axis.
  static double gain_of(const Sums& left, const Sums& present, const Sums& all) {
    const Sums right{present.weight - left.weight, present.sum - left.sum};
    const double gain = left.gain() + right.gain() - present.gain();
    return std::max(gain, 0.0) * (present.weight / all.weight);
  }

  const Table& table_;
  std::vector<Box> boxes_;
  double parent_size_ = 1;
};

}  // namespace

double Side::size() const {
  if (members.empty()) return high - low;
  return static_cast<double>(std::count(members.begin(), members.end(), true)) /
         static_cast<double>(members.size());
}

double Side::overlap(const Side& other) const {
  if (members.empty()) return std::max(0.0, std::min(high, other.high) - std::max(low, other.low));
  std::int64_t both = 0;
  for (std::size_t c = 0; c < members.size(); ++c) both += members[c] && other.members[c];
  return static_cast<double>(both) / static_cast<double>(members.size());
}

double Side::position(double x) const {
  if (std::isnan(x)) return size();
  if (!members.empty()) return members[static_cast<std::size_t>(x)] ? 1 : 0;
  return x >= low && (x < high || high == 1) ? 1 : 0;
}

std::vector<Box> grow_tree(const Table& table, const std::vector<double>& weights) {
  std::vector<Row> rows;
  for (std::size_t i = 0; i < weights.size(); ++i)
    if (weights[i] > 0) rows.push_back({i, weights[i]});
  return Grower(table).grow(std::move(rows));
}

double predict(const std::vector<Box>& boxes, const std::vector<double>& row) {
  double sum = 0, weight = 0;
  for (const auto& box : boxes) {
    double share = 1;
    for (std::size_t axis = 0; axis < row.size() && share > 0; ++axis)
      share *= box.sides[axis].position(row[axis]);
    sum += share * box.value;
    weight += share;
  }
  return sum / weight;
}

Variances variances(const std::vector<Box>& boxes) {
  const auto axes = boxes.front().sides.size();
  // E[f]: boxes are measured about it, or the sums of squares would cancel.
  double mean = 0;
  std::vector<double> volume(boxes.size(), 1.0);
  std::vector<std::vector<double>> sizes(boxes.size());
  for (std::size_t l = 0; l < boxes.size(); ++l) {
    for (const auto& side : boxes[l].sides) sizes[l].push_back(side.size());
    for (const double size : sizes[l]) volume[l] *= size;
    mean += volume[l] * boxes[l].value;
  }
  Variances out{0, std::vector<double>(axes, 0.0), std::vector<double>(axes, 0.0)};
  std::vector<double> overlap(axes), behind(axes + 1, 1.0);
  for (std::size_t l = 0; l < boxes.size(); ++l) {
    const double own = boxes[l].value - mean;
    out.whole += volume[l] * own * own;
    // E[E[f | S]²] is the sum over pairs of boxes of f f' · (overlaps over S) · (sizes over the
    // rest).
    for (std::size_t m = 0; m <= l; ++m) {
      const double product = own * (boxes[m].value - mean) * (m == l ? 1 : 2);
      for (std::size_t a = 0; a < axes; ++a) {
        overlap[a] = boxes[l].sides[a].overlap(boxes[m].sides[a]);
        const double both = sizes[l][a] * sizes[m][a];
        out.of[a] += product * volume[l] * volume[m] * overlap[a] / both;
      }
      for (std::size_t a = axes; a-- > 0;) behind[a] = behind[a + 1] * overlap[a];
      double before = 1;
      for (std::size_t a = 0; a < axes && before > 0; ++a) {
        out.without[a] += product * before * behind[a + 1] * sizes[l][a] * sizes[m][a];
        before *= overlap[a];
      }
    }
  }
  return out;
}

}  // namespace bcx::sweep
