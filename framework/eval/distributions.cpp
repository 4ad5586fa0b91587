#include "eval/distributions.h"

#include <boost/math/distributions/binomial.hpp>
#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <limits>

namespace bcx::eval {

namespace math = boost::math;

double normal_cdf(double z) {
  return 0.5 * std::erfc(-z / std::sqrt(2.0));
}

double normal_quantile(double p) {
  if (p <= 0.0) return -std::numeric_limits<double>::infinity();
  if (p >= 1.0) return std::numeric_limits<double>::infinity();
  return math::quantile(math::normal(), p);
}

double student_quantile(double p, double degrees_of_freedom) {
  return math::quantile(math::students_t(degrees_of_freedom), p);
}

double fair_coin_cdf(std::int64_t k, std::int64_t n) {
  if (k < 0) return 0.0;
  if (k >= n) return 1.0;
  return math::cdf(math::binomial(static_cast<double>(n), 0.5), static_cast<double>(k));
}

double fair_coin(std::int64_t k, std::int64_t n) {
  if (k < 0 || k > n) return 0.0;
  return math::pdf(math::binomial(static_cast<double>(n), 0.5), static_cast<double>(k));
}

}  // namespace bcx::eval
