// Importances against the analysis of variance itself: every point of a grid, means over all
// subsets.
#include <cmath>
#include <functional>
#include <map>

#include "base/philox.h"
#include "sweep/importance.h"
#include "sweep/regression_tree.h"
#include "test_functions.h"
#include "tests/catch.h"

using namespace bcx::sweep;
using namespace bcx::test;
using bcx::config::Value;

namespace {

struct Shares {
  double main = 0, total = 0;
};

double variance(const std::vector<double>& values) {
  double mean = 0, sum = 0;
  for (const double v : values) mean += v / static_cast<double>(values.size());
  for (const double v : values) sum += (v - mean) * (v - mean) / static_cast<double>(values.size());
  return sum;
}

/// Splits each axis into `parts` (choices: as many as they are) and takes means over all others (or
/// over it alone) by summing every cell of the grid.
std::vector<Shares> brute_force(const Space& space, const std::function<double(const Point&)>& f,
                                std::size_t parts) {
  const auto axes = space.axes.size();
  std::vector<std::size_t> counts;
  std::size_t cells = 1;
  for (const auto& axis : space.axes) {
    counts.push_back(axis.ordered() ? parts : axis.choices.size());
    cells *= counts.back();
  }
  std::vector<double> values(cells);
  std::vector<std::vector<std::size_t>> index(cells, std::vector<std::size_t>(axes));
  for (std::size_t cell = 0; cell < cells; ++cell) {
    std::vector<double> u(axes);
    for (std::size_t a = 0, rest = cell; a < axes; rest /= counts[a++]) {
      index[cell][a] = rest % counts[a];
      u[a] = (static_cast<double>(index[cell][a]) + 0.5) / static_cast<double>(counts[a]);
    }
    values[cell] = f(space.at(u));
  }
  const double whole = variance(values);
  std::vector<Shares> shares(axes);
  for (std::size_t a = 0; a < axes; ++a) {
    std::vector<double> alone(counts[a], 0.0);
    std::map<std::vector<std::size_t>, double> others;
    for (std::size_t cell = 0; cell < cells; ++cell) {
      alone[index[cell][a]] +=
          values[cell] * static_cast<double>(counts[a]) / static_cast<double>(cells);
      auto rest = index[cell];
      rest[a] = 0;
      others[rest] += values[cell] / static_cast<double>(counts[a]);
    }
    std::vector<double> without;
    for (const auto& one : others) without.push_back(one.second);
    shares[a] = {variance(alone) / whole, 1 - variance(without) / whole};
  }
  return shares;
}

std::vector<Outcome> drawn(const Space& space, const std::function<double(const Point&)>& f,
                           std::int64_t count, std::string_view method = "sobol") {
  const auto sampler = make_sampler(method, space, 11);
  std::vector<Outcome> trials;
  for (std::int64_t i = 0; i < count; ++i) {
    const auto point = *sampler->propose(i, {});
    trials.push_back({point, f(point)});
  }
  return trials;
}

const Importance& of(const Importances& all, const std::string& key) {
  for (const auto& one : all.parameters)
    if (one.key == key) return one;
  throw std::invalid_argument(key);
}

void check_against(const Space& space, const std::function<double(const Point&)>& f,
                   std::int64_t trials, double margin, std::size_t parts) {
  const auto expected = brute_force(space, f, parts);
  const auto found = importance(space, drawn(space, f, trials));
  CHECK(found.problem.empty());
  for (std::size_t a = 0; a < space.axes.size(); ++a) {
    const auto& one = of(found, space.axes[a].key);
    INFO(one.key << ": " << one.main << " of " << expected[a].main << ", " << one.total << " of "
                 << expected[a].total << ", explained " << found.explained);
    CHECK(std::abs(one.main - expected[a].main) < margin);
    CHECK(std::abs(one.total - expected[a].total) < margin);
  }
}

Axis choices(std::string key, std::vector<Value> values) {
  Axis axis;
  axis.key = std::move(key);
  axis.choices = std::move(values);
  return axis;
}

}  // namespace

TEST_CASE("a tree over every cell of a grid decomposes the variance exactly") {
  // Categories, a range and their interaction; one tree that sees every cell once.
  const Space space{{choices("a", {std::int64_t{1}, std::int64_t{2}, std::int64_t{3}}),
                     uniform("x", 0, 1), uniform("y", 0, 1)}};
  const auto f = [](const Point& point) {
    const auto a = static_cast<double>(std::get<std::int64_t>(point.at("a")));
    return a * a * at(point, "x") + std::sin(3 * at(point, "y")) + at(point, "x") * at(point, "y");
  };
  const auto expected = brute_force(space, f, 8);
  Table table;
  table.choices = {3, 0, 0};
  for (std::size_t cell = 0; cell < 3 * 8 * 8; ++cell) {
    const std::vector<double> u{(static_cast<double>(cell % 3) + 0.5) / 3,
                                (static_cast<double>(cell / 3 % 8) + 0.5) / 8,
                                (static_cast<double>(cell / 24) + 0.5) / 8};
    table.rows.push_back({static_cast<double>(cell % 3), u[1], u[2]});
    table.values.push_back(f(space.at(u)));
  }
  const auto boxes = grow_tree(table, std::vector<double>(table.values.size(), 1.0));
  CHECK(boxes.size() == 3 * 8 * 8);
  const auto parts = variances(boxes);
  CHECK(parts.whole == Approx(variance(table.values)));
  for (std::size_t a = 0; a < 3; ++a) {
    INFO(a);
    CHECK(parts.of[a] / parts.whole == Approx(expected[a].main));
    CHECK(1 - parts.without[a] / parts.whole == Approx(expected[a].total));
  }
  for (std::size_t i = 0; i < table.rows.size(); ++i)
    CHECK(predict(boxes, table.rows[i]) == table.values[i]);
}

TEST_CASE("importances of a function agree with its analysis of variance") {
  // Four times the weight, sixteen times the variance: 16/21, 4/21, 1/21, and one without any.
  Space linear{{uniform("a", 0, 4), uniform("b", 0, 2), uniform("c", 0, 1), uniform("none", 0, 1)}};
  const auto sum = [](const Point& p) { return at(p, "a") + at(p, "b") + at(p, "c"); };
  const auto expected = brute_force(linear, sum, 12);
  CHECK(expected[0].main == Approx(16.0 / 21));
  CHECK(expected[1].total == Approx(4.0 / 21));
  check_against(linear, sum, 256, 0.08, 12);
  const auto found = importance(linear, drawn(linear, sum, 256));
  CHECK(found.explained > 0.9);
  CHECK(found.parameters.front().key == "a");
  CHECK(found.parameters.back().key == "none");
  CHECK(found.parameters.front().spread < 0.1);

  check_against(branin_space(), branin, 400, 0.06, 60);
  // A product of two centred factors: neither matters alone, both together are everything.
  const Space square{{uniform("a", -1, 1), uniform("b", -1, 1)}};
  check_against(
      square, [](const Point& p) { return at(p, "a") * at(p, "b"); }, 400, 0.12, 40);
}

TEST_CASE("logarithmic, whole and named values have importances, too") {
  auto rate = uniform("rate", 1e-5, 1e-1);
  rate.scale = Axis::Scale::log_uniform;
  Axis depth = uniform("depth", 1, 4);
  depth.scale = Axis::Scale::integer;
  const Space space{
      {rate, depth, choices("name", {std::string("a"), std::string("b"), std::string("c")})}};
  const auto f = [](const Point& point) {
    const double x = std::log10(at(point, "rate")) + 3;
    const auto& name = std::get<std::string>(point.at("name"));
    return -x * x + 0.5 * static_cast<double>(std::get<std::int64_t>(point.at("depth"))) +
           (name == "b" ? 1.5 : 0);
  };
  check_against(space, f, 256, 0.06, 40);
}

TEST_CASE("a parameter that exists under a condition counts for where it exists") {
  // momentum moves the value by up to 2 under sgd alone; which optimizer it is hardly matters.
  auto momentum = uniform("momentum", 0, 1);
  momentum.when = {{"optimizer", Value(std::string("sgd"))}};
  const Space space{{choices("optimizer", {std::string("adam"), std::string("sgd")}), momentum,
                     uniform("decay", 0, 1)}};
  const auto f = [](const Point& point) {
    const auto found = point.find("momentum");
    return (found == point.end() ? 1.0 : 2 * std::get<double>(found->second)) +
           0.3 * at(point, "decay");
  };
  check_against(space, f, 256, 0.06, 40);
}

TEST_CASE("noise is told from knowledge") {
  const Space space{{uniform("a", 0, 1), uniform("b", 0, 1)}};
  const bcx::Stream stream(5, "noise");
  std::int64_t next = 0;
  const auto noise = [&](const Point&) {
    return stream.normal(static_cast<std::uint64_t>(next++));
  };
  CHECK(importance(space, drawn(space, noise, 60, "random")).explained < 0.2);
  const auto f = [&](const Point& p) { return 10 * at(p, "a") + noise(p); };
  const auto found = importance(space, drawn(space, f, 60, "random"));
  CHECK(found.explained > 0.7);
  CHECK(of(found, "a").total > 0.8);
}

TEST_CASE("too little to go by is said") {
  const Space space{{uniform("a", 0, 1), uniform("b", 0, 1), uniform("c", 0, 1)}};
  const auto f = [](const Point& p) { return at(p, "a"); };
  auto trials = drawn(space, f, 13);
  trials[0].value = std::nan("");
  trials[5].value = -INFINITY;
  auto found = importance(space, trials);
  CHECK(found.problem == "too few trials: 11 with a value, and 12 are needed for 3 parameters");
  CHECK(found.parameters.empty());
  CHECK(found.trials == 11);
  found = importance({{uniform("a", 0, 1)}}, {});
  CHECK(found.problem == "too few trials: 0 with a value, and 8 are needed for 1 parameter");
  for (auto& trial : trials) trial.value = 0.5;
  CHECK(importance(space, trials).problem == "all 13 trials have the same value");
  CHECK(importance({}, trials).problem == "no parameters");
}

TEST_CASE("the same trials have the same importances") {
  const auto trials = drawn(branin_space(), branin, 50);
  const auto a = importance(branin_space(), trials), b = importance(branin_space(), trials);
  CHECK(a.parameters[0].total == b.parameters[0].total);
  CHECK(a.explained == b.explained);
}
