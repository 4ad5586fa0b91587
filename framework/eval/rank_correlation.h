// Whether two lists of numbers put things in the same order.
#pragma once

#include <span>
#include <vector>

#include "eval/metrics.h"

namespace bcx::eval {

/// The place of each value in rising order, from 0, ties having the mean of theirs. All are
/// not-a-number when one value is: it has no place, and so neither have the others.
std::vector<double> midranks(std::span<const double> values);

/// Spearman's rho: Pearson's correlation of the ranks, ties having the mean of theirs. Undefined
/// for fewer than two numbers, when one list is constant or holds not-a-number.
/// std::invalid_argument when the lengths differ.
Metric rank_correlation(std::span<const double> a, std::span<const double> b);

}  // namespace bcx::eval
