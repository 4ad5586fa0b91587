// Pruning rules against the papers and against slow restatements of them.

#include <algorithm>
#include <limits>

#include "base/philox.h"
#include "sweep/pruner.h"
#include "tests/catch.h"

using namespace bcx::sweep;

namespace {

constexpr double nothing = std::numeric_limits<double>::quiet_NaN();

Course course(std::int64_t number, std::vector<double> costs, bool finished = false,
              bool pruned = false) {
  return {number, std::move(costs), finished, pruned};
}

}  // namespace

TEST_CASE("rungs of successive halving and brackets of hyperband are the papers'") {
  const Pruner asha({.name = "asha", .reduction = 3, .min_epochs = 1}, 81);
  CHECK(asha.rungs(0) == std::vector<std::int64_t>{1, 3, 9, 27});
  const Pruner late({.name = "asha", .reduction = 4, .min_epochs = 2}, 32);
  CHECK(late.rungs(7) == std::vector<std::int64_t>{2, 8});
  // Li et al. 2018, table 1: R = 81, eta = 3.
  const Pruner hyperband({.name = "hyperband", .reduction = 3, .min_epochs = 1}, 81);
  std::vector<int> count(5);
  for (std::int64_t i = 0; i < 81 + 34 + 15 + 8 + 5; ++i)
    ++count[static_cast<std::size_t>(hyperband.bracket(i))];
  CHECK(count == std::vector<int>{81, 34, 15, 8, 5});
  CHECK(hyperband.bracket(143) == 0);
  CHECK(hyperband.rungs(0) == std::vector<std::int64_t>{1, 3, 9, 27});
  CHECK(hyperband.rungs(81) == std::vector<std::int64_t>{3, 9, 27});
  CHECK(hyperband.rungs(142).empty());
  CHECK(Pruner({.name = "none"}, 81).rungs(0).empty());
}

TEST_CASE("of the n at a rung the best floor(n / reduction) go on, and those that wait follow") {
  const Pruner asha({.name = "asha", .reduction = 3, .min_epochs = 1}, 9);
  std::vector<Course> all{course(0, {0.5})};
  CHECK(asha.stops(all[0], all));  // floor(1 / 3) is none
  all[0].pruned = true;
  all.push_back(course(1, {0.4}, false, true));
  CHECK(!asha.promotable(all));
  all.push_back(course(2, {0.6}));
  CHECK(asha.stops(all[2], all));
  all[2].pruned = true;
  REQUIRE(asha.promotable(all));
  CHECK(*asha.promotable(all) == 1);
  all[1] = course(1, {0.4, 0.45, 0.39});  // it went on and came to the next rung
  CHECK(asha.stops(all[1], all));
  CHECK(!asha.promotable(all));
  all.push_back(course(3, {0.1}));  // the best of four goes on at once
  CHECK(!asha.stops(all[3], all));
  CHECK(!asha.stops(course(3, {0.1, 0.2}), all));  // between rungs nobody ends
}

TEST_CASE("what is not finite never goes on, and equal values go by number") {
  const Pruner asha({.name = "asha", .reduction = 2, .min_epochs = 1}, 8);
  const std::vector<Course> bad{course(0, {nothing}), course(1, {nothing})};
  CHECK(asha.stops(bad[0], bad));
  const std::vector<Course> equal{course(0, {1.0}, false, true), course(1, {1.0}, false, true)};
  CHECK(*asha.promotable(equal) == 0);
}

TEST_CASE("the median rule is that of Vizier, restated") {
  const Pruner median({.name = "median", .min_epochs = 2, .startup_trials = 3}, 6);
  const bcx::Stream stream(7, "test");
  std::uint64_t drawn = 0;
  for (int round = 0; round < 200; ++round) {
    std::vector<Course> all;
    for (std::int64_t i = 0; i < 6; ++i) {
      std::vector<double> costs;
      for (int e = 0; e < 6; ++e) costs.push_back(stream.uniform(drawn++));
      all.push_back(course(i, costs, true));
    }
    const auto epoch = static_cast<std::size_t>(2 + stream.below(drawn++, 4));
    Course one = course(9, {});
    for (std::size_t e = 0; e < epoch; ++e) one.costs.push_back(stream.uniform(drawn++));
    all.push_back(one);
    std::vector<double> averages;
    for (std::size_t i = 0; i < 6; ++i) {
      double sum = 0;
      for (std::size_t e = 0; e < epoch; ++e) sum += all[i].costs[e];
      averages.push_back(sum / static_cast<double>(epoch));
    }
    std::sort(averages.begin(), averages.end());
    const double middle = (averages[2] + averages[3]) / 2;
    const bool worse = *std::min_element(one.costs.begin(), one.costs.end()) > middle;
    CHECK(median.stops(one, all) == (worse && epoch < 6));
  }
  const std::vector<Course> few{course(0, {0.1, 0.1}, true), course(1, {0.1, 0.1}, true),
                                course(2, {0.9, 0.9})};
  CHECK(!median.stops(few[2], few));  // fewer than startup_trials
}
