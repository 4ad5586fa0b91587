#include "eval/gallery.h"

#include <cmath>
#include <stdexcept>

#include "eval/rank_correlation.h"
#include "tests/catch.h"

using namespace bcx::eval;

namespace {

using Numbers = std::vector<double>;
using Indexes = std::vector<std::size_t>;

}  // namespace

TEST_CASE("rank correlation is Spearman's rho, ties having the mean rank") {
  // 1 - 6 * sum(d^2) / (n (n^2 - 1)) without ties; scipy.stats.spearmanr with them.
  CHECK(*rank_correlation(Numbers{1, 2, 3, 4}, Numbers{1, 3, 2, 4}) == Approx(0.8).epsilon(1e-15));
  CHECK(*rank_correlation(Numbers{1, 2, 2, 3}, Numbers{1, 2, 3, 4}) ==
        Approx(0.9486832980505138).epsilon(1e-14));
  CHECK(*rank_correlation(Numbers{0, 0, 5, -1}, Numbers{3, 3, -7, 9}) == Approx(-1.0));
  CHECK(*rank_correlation(Numbers{1, 10, 100}, Numbers{-3, 0, 7}) == Approx(1.0));
}

TEST_CASE("rank correlation is undefined where there is no order") {
  CHECK_FALSE(rank_correlation(Numbers{1, 1, 1}, Numbers{1, 2, 3}));
  CHECK_FALSE(rank_correlation(Numbers{1}, Numbers{1}));
  CHECK_FALSE(rank_correlation(Numbers{}, Numbers{}));
  CHECK_FALSE(rank_correlation(Numbers{1, std::nan("")}, Numbers{1, 2}));
  CHECK_THROWS_AS(rank_correlation(Numbers{1, 2}, Numbers{1}), std::invalid_argument);
}

TEST_CASE(
    "galleries hold the surest errors, the least certain, and the surest right of each class") {
  Outcomes outcomes;
  //                    right 0  error  right 1  right 0  error, sure  at the threshold
  outcomes.targets = {0, 0, 1, 0, 1, 1};
  outcomes.scores =
      Probabilities({0.9, 0.1, 0.2, 0.8, 0.3, 0.7, 0.75, 0.25, 0.98, 0.02, 0.4, 0.6}, 2);
  const auto found = galleries(outcomes, {.threshold = 0.6, .positive = 1}, 2);
  REQUIRE(found.size() == 4);
  CHECK(found[0].name == "error");
  CHECK(found[0].samples == Indexes{4, 1});
  CHECK(found[1].name == "uncertain");
  CHECK(found[1].samples == Indexes{5, 2});
  CHECK(found[2].name == "right-0");
  CHECK(found[2].samples == Indexes{0, 3});
  CHECK(found[3].name == "right-1");
  CHECK(found[3].samples == Indexes{2, 5});
}

TEST_CASE("without a threshold the margin is between the first two classes") {
  Outcomes outcomes;
  outcomes.targets = {0, 1, 2};
  outcomes.scores = Probabilities({0.5, 0.3, 0.2, 0.4, 0.41, 0.19, 0.05, 0.05, 0.9}, 3);
  const auto found = galleries(outcomes, {}, 3);
  REQUIRE(found.size() == 5);
  CHECK(found[0].samples.empty());
  CHECK(found[1].samples == Indexes{1, 0, 2});
}
