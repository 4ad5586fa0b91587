#include <cmath>
#include <set>

#include "sweep/space.h"
#include "tests/catch.h"

using namespace bcx::sweep;
using bcx::config::Value;

namespace {

Axis choices(std::string key, std::vector<Value> values) {
  Axis axis;
  axis.key = std::move(key);
  axis.choices = std::move(values);
  return axis;
}

Axis range(std::string key, Axis::Scale scale, double low, double high, std::int64_t points = 0) {
  Axis axis;
  axis.key = std::move(key);
  axis.scale = scale;
  axis.low = low;
  axis.high = high;
  axis.points = points;
  return axis;
}

}  // namespace

TEST_CASE("coordinates become values evenly, and back") {
  const auto batch = choices("train.batch_size", {std::int64_t{16}, std::int64_t{32}});
  CHECK(batch.at(0.0) == Value(std::int64_t{16}));
  CHECK(batch.at(0.49) == Value(std::int64_t{16}));
  CHECK(batch.at(0.5) == Value(std::int64_t{32}));
  CHECK(batch.at(1.0) == Value(std::int64_t{32}));

  const auto rate = range("optimizer.learning_rate", Axis::Scale::log_uniform, 1e-5, 1e-1);
  CHECK(std::get<double>(rate.at(0.5)) == Approx(1e-3));
  CHECK(rate.coordinate(Value(1e-4)) == Approx(0.25));

  const auto depth = range("model.options.depth", Axis::Scale::integer, 2, 5);
  std::set<std::int64_t> seen;
  for (int i = 0; i < 100; ++i) {
    const auto value = std::get<std::int64_t>(depth.at(i / 100.0));
    seen.insert(value);
    CHECK(depth.at(depth.coordinate(Value(value))) == Value(value));
  }
  CHECK(seen == std::set<std::int64_t>{2, 3, 4, 5});
}

TEST_CASE("a grid's values hold both ends") {
  const auto values = range("x", Axis::Scale::log_uniform, 1e-4, 1e-1, 4).grid();
  REQUIRE(values.size() == 4);
  for (int i = 0; i < 4; ++i)
    CHECK(std::get<double>(values[static_cast<std::size_t>(i)]) == Approx(std::pow(10.0, i - 4)));
  CHECK(range("n", Axis::Scale::integer, 1, 9, 3).grid() ==
        std::vector<Value>{std::int64_t{1}, std::int64_t{5}, std::int64_t{9}});
  CHECK(range("n", Axis::Scale::integer, 1, 3).grid().size() == 3);
}

TEST_CASE("an axis whose condition does not hold is left out, and counted once") {
  auto momentum = range("optimizer.momentum", Axis::Scale::uniform, 0, 1);
  momentum.when = {{"optimizer.name", Value(std::string("sgd"))}};
  Space space{{choices("optimizer.name", {std::string("adam"), std::string("sgd")}), momentum}};
  CHECK(space.at({0.0, 0.5}).size() == 1);
  CHECK(space.at({0.9, 0.5}).size() == 2);
  CHECK(space.size() == 0);  // a real axis has no end of values

  auto nesterov = choices("optimizer.nesterov", {false, true});
  nesterov.when = momentum.when;
  space.axes[1] = nesterov;
  CHECK(space.size() == 3);  // adam, sgd without, sgd with
}

TEST_CASE("a point's text names it") {
  CHECK(text_of({{"b", Value(0.5)}, {"a", Value(std::string("x"))}}) == "a=\"x\" b=0.5");
}
