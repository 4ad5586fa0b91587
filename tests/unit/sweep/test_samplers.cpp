// Samplers against what is known of them: coverage, uniformity, and for the estimator the test
// functions that everybody uses.

#include <algorithm>
#include <cmath>
#include <functional>
#include <set>

#include "base/error.h"
#include "sweep/sampler.h"
#include "test_functions.h"
#include "tests/catch.h"

using namespace bcx::sweep;
using namespace bcx::test;
using bcx::config::Value;

namespace {

double best_of(const std::string& method, const Space& space,
               const std::function<double(const Point&)>& function, std::uint64_t seed) {
  const auto sampler = make_sampler(method, space, seed);
  std::vector<Outcome> finished;
  double best = INFINITY;
  for (std::int64_t i = 0; i < 100; ++i) {
    const auto point = *sampler->propose(i, finished);
    finished.push_back({point, function(point)});
    best = std::min(best, finished.back().value);
  }
  return best;
}

double median_best(const std::string& method, const Space& space,
                   const std::function<double(const Point&)>& function) {
  std::vector<double> values;
  for (std::uint64_t seed = 0; seed < 30; ++seed)
    values.push_back(best_of(method, space, function, seed));
  std::nth_element(values.begin(), values.begin() + 15, values.end());
  return values[15];
}

}  // namespace

TEST_CASE("a grid tries every combination once and ends") {
  Axis batch;
  batch.key = "batch";
  batch.choices = {std::int64_t{16}, std::int64_t{32}};
  auto rate = uniform("rate", 0, 1);
  rate.points = 3;
  const auto grid = make_sampler("grid", {{batch, rate}}, 1);
  std::set<std::string> seen;
  for (std::int64_t i = 0; i < 6; ++i) seen.insert(text_of(*grid->propose(i, {})));
  CHECK(seen.size() == 6);
  CHECK_FALSE(grid->propose(6, {}));
  CHECK(text_of(*grid->propose(1, {})) == "batch=16 rate=0.5");
}

TEST_CASE("a grid over reals needs a number of points") {
  try {
    make_sampler("grid", branin_space(), 1);
    FAIL("accepted");
  } catch (const bcx::Error& error) {
    CHECK(std::string(error.what()) ==
          "x0: a grid needs to know how many values to try; add `points = 4`, or use method = "
          "\"random\"");
  }
  CHECK_THROWS_AS(make_sampler("annealing", branin_space(), 1), bcx::Error);
}

TEST_CASE("a proposal depends on seed, number and history alone") {
  for (const auto* method : {"random", "sobol", "tpe"}) {
    INFO(method);
    const auto a = make_sampler(method, branin_space(), 5),
               b = make_sampler(method, branin_space(), 5);
    const auto other = make_sampler(method, branin_space(), 6);
    CHECK(text_of(*a->propose(7, {})) == text_of(*b->propose(7, {})));
    CHECK(text_of(*a->propose(7, {})) == text_of(*a->propose(7, {})));
    CHECK(text_of(*a->propose(7, {})) != text_of(*other->propose(7, {})));
  }
}

TEST_CASE("a Sobol sequence puts one point into each of 64 parts of every axis") {
  const auto sobol = make_sampler("sobol", {{uniform("x", 0, 1), uniform("y", 0, 1)}}, 9);
  std::set<int> x, y;
  // The shift moves the parts' borders, not the distances: fractional parts tell the order.
  const double x0 = at(*sobol->propose(0, {}), "x"), y0 = at(*sobol->propose(0, {}), "y");
  for (std::int64_t i = 0; i < 64; ++i) {
    const auto point = *sobol->propose(i, {});
    const auto part = [](double value, double origin) {
      const double moved = value - origin + 1e-9;
      return static_cast<int>((moved - std::floor(moved)) * 64);
    };
    x.insert(part(at(point, "x"), x0));
    y.insert(part(at(point, "y"), y0));
  }
  CHECK(x.size() == 64);
  CHECK(y.size() == 64);
}

TEST_CASE("random draws are uniform on each axis") {
  const auto random = make_sampler("random", branin_space(), 3);
  double mean = 0;
  for (std::int64_t i = 0; i < 2000; ++i) mean += at(*random->propose(i, {}), "x0") / 2000;
  CHECK(mean == Approx(2.5).margin(0.4));  // four standard errors
}

TEST_CASE("the Parzen estimator beats random search on Branin and Hartmann6") {
  CHECK(median_best("tpe", branin_space(), branin) < median_best("random", branin_space(), branin));
  CHECK(median_best("tpe", hartmann6_space(), hartmann6) <
        median_best("random", hartmann6_space(), hartmann6) - 0.1);
}

TEST_CASE("trials that came to nothing count as worst") {
  Axis name;
  name.key = "name";
  name.choices = {std::string("good"), std::string("bad")};
  const auto tpe = make_sampler("tpe", {{name}}, 2);
  std::vector<Outcome> finished;
  for (int i = 0; i < 40; ++i)
    finished.push_back({{{"name", name.choices[static_cast<std::size_t>(i % 2)]}},
                        i % 2 == 0 ? 1.0 : std::nan("")});
  int good = 0;
  for (std::int64_t i = 0; i < 50; ++i)
    good += tpe->propose(40 + i, finished)->at("name") == name.choices[0];
  CHECK(good > 40);
}
