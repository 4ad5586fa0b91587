// Whether two lists of numbers put things in the same order.
#pragma once

#include <span>

#include "eval/metrics.h"

namespace bcx::eval {

/// Spearman's rho: Pearson's correlation of the ranks, ties having the mean of theirs. Undefined
/// for fewer than two numbers, when one list is constant or holds not-a-number.
/// std::invalid_argument when the lengths differ.
Metric rank_correlation(std::span<const double> a, std::span<const double> b);

}  // namespace bcx::eval
