// A tree that is constant on boxes of a sweep's space, and what can be integrated over them.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "sweep/space.h"

namespace bcx::sweep {

/// Trials as rows of numbers. Of choices: which one, from 0; of other axes: Axis::coordinate().
struct Table {
  static constexpr double absent = std::numeric_limits<double>::quiet_NaN();  ///< axis inactive
  std::vector<std::int64_t> choices;      ///< of each axis; 0: a range [0, 1]
  std::vector<std::vector<double>> rows;  ///< [trial][axis]
  std::vector<double> values;
};

/// What of one axis a box covers: an interval, or some of the choices.
struct Side {
  double low = 0, high = 1;
  std::vector<bool> members;  ///< empty: an interval

  double size() const;  ///< part of the axis, (0, 1]
  double overlap(const Side& other) const;
  double position(double x) const;  ///< 1: x lies in it, 0: not; of an absent value its size
};

struct Box {
  std::vector<Side> sides;
  double value = 0;
};

/// Grown by least squares until every box holds one value only; a row counts `weights` times.
/// Choices are ordered by their means and cut once, which is the best parting in two (Breiman et
/// al., "Classification and regression trees", 1984, section 4.2.2). A row that lacks the axis of a
/// split goes to both sides, with the sides' sizes as weights.
std::vector<Box> grow_tree(const Table& table, const std::vector<double>& weights);

/// The mean over a tree's boxes that a row lies in (an absent axis may be anywhere).
double predict(const std::vector<Box>& boxes, const std::vector<double>& row);

/// Variances of the tree's means over the uniform distribution.
struct Variances {
  double whole = 0;
  std::vector<double> of;       ///< Var(E[f | axis]) of each axis
  std::vector<double> without;  ///< Var(E[f | all axes but this])
};
Variances variances(const std::vector<Box>& boxes);

}  // namespace bcx::sweep
