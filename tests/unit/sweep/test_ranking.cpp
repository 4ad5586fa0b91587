// Ranking over seeds, against the formula computed by hand.

#include <cmath>

#include "sweep/ranking.h"
#include "tests/catch.h"

using namespace bcx::sweep;

namespace {

struct Table {
  std::vector<Trial> trials;
  std::vector<Course> courses;
  void add(std::int64_t size, double value, const std::string& state = "finished",
           std::size_t epochs = 3) {
    Trial trial;
    trial.row.number = std::ssize(trials);
    trial.row.state = state;
    if (state != "failed") trial.row.value = value;
    trial.point["train.batch_size"] = size;
    courses.push_back({trial.row.number, std::vector<double>(epochs, 0.0)});
    trials.push_back(std::move(trial));
  }
};

}  // namespace

TEST_CASE("points are ranked by the bound of their means, with a pooled spread") {
  Table table;
  for (const double value : {0.90, 0.92, 0.94}) table.add(16, value);
  for (const double value : {0.945, 0.905}) table.add(32, value);  // a better mean, less sure
  table.add(64, 0.935);
  const auto ranking = rank({}, table.trials, table.courses);
  REQUIRE(ranking.size() == 3);
  // Sums of squares 0.0008 and 0.0008, 2 + 1 degrees of freedom, t(0.95, 3) = 2.3533634.
  const double s = std::sqrt(0.0016 / 3), t = 2.3533634348018264;
  CHECK(ranking[0].mean == Approx(0.92));
  CHECK(ranking[0].bound == Approx(0.92 - t * s / std::sqrt(3.0)));
  CHECK(ranking[1].mean == Approx(0.925));
  CHECK(ranking[1].bound == Approx(0.925 - t * s / std::sqrt(2.0)));
  CHECK(ranking[2].bound == Approx(0.935 - t * s));
  CHECK(ranking[2].trials == std::vector<std::int64_t>{5});
}

TEST_CASE("a loss is bounded above; those that wait and those that failed come later") {
  Table table;
  table.add(8, 0.30, "finished");
  table.add(16, 0.10, "pruned", 1);
  table.add(32, 0.20, "pruned", 2);
  table.add(64, 0.05, "finished");
  table.add(64, 0.0, "failed");
  Plan plan;
  plan.maximize = false;
  const auto ranking = rank(plan, table.trials, table.courses);
  std::vector<std::int64_t> first;
  for (const auto& one : ranking) first.push_back(one.trials.front());
  CHECK(first == std::vector<std::int64_t>{0, 2, 1, 3});
  CHECK(ranking[3].broken);
  CHECK(ranking[0].bound == 0.30);  // one seed everywhere: the value itself
}
