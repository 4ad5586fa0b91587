// Quantiles and tails that intervals and tests need (Boost.Math behind them).
#pragma once

#include <cstdint>

namespace bcx::eval {

double normal_cdf(double z);
/// p within (0, 1); -infinity and infinity at the ends.
double normal_quantile(double p);
/// Student's t with any positive real number of degrees of freedom; p within (0, 1).
double student_quantile(double p, double degrees_of_freedom);
/// P(X <= k) of k successes in n fair coin tosses.
double fair_coin_cdf(std::int64_t k, std::int64_t n);
/// P(X = k).
double fair_coin(std::int64_t k, std::int64_t n);

}  // namespace bcx::eval
