#include <cmath>
#include <map>
#include <numeric>
#include <set>

#include "base/error.h"
#include "tests/catch.h"
#include "train/sampler.h"

using namespace bcx;
using namespace bcx::train;

namespace {

std::vector<std::int64_t> counting(std::int64_t n) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), 0);
  return order;
}

std::vector<std::size_t> sizes(std::int64_t n, std::int64_t size, std::string_view last) {
  static std::vector<std::int64_t> order;
  order = counting(n);
  std::vector<std::size_t> result;
  for (const auto& batch : batches(order, size, last)) result.push_back(batch.size());
  return result;
}

/// 90 of class 0 in groups a (80) and b (10), 10 of class 1 in group c.
Candidates unbalanced() {
  Candidates c;
  c.indexes = counting(100);
  for (int i = 0; i < 100; ++i) {
    c.labels.push_back(i < 90 ? 0 : 1);
    c.groups.push_back(i < 80 ? "a" : i < 90 ? "b" : "c");
  }
  return c;
}

}  // namespace

TEST_CASE("every sample is in one batch, and none is alone") {
  using Sizes = std::vector<std::size_t>;
  CHECK(sizes(32, 16, "keep") == Sizes{16, 16});
  CHECK(sizes(33, 16, "keep") == Sizes{16, 17});
  CHECK(sizes(47, 16, "keep") == Sizes{16, 16, 15});
  CHECK(sizes(33, 16, "drop") == Sizes{16, 16});
  CHECK(sizes(47, 16, "drop") == Sizes{16, 16});
  CHECK(sizes(5, 16, "drop") == Sizes{5});
  CHECK(sizes(1, 16, "keep") == Sizes{1});
  CHECK(sizes(3, 1, "keep") == Sizes{1, 1, 1});
  for (std::int64_t n = 2; n < 100; ++n) {
    const auto order = counting(n);
    std::vector<std::int64_t> seen;
    for (const auto& batch : batches(order, 16, "keep")) {
      CHECK(batch.size() >= 2);
      seen.insert(seen.end(), batch.begin(), batch.end());
    }
    CHECK(seen == order);
  }
}

TEST_CASE("shuffle visits every sample once, in another order each epoch") {
  const auto candidates = unbalanced();
  const auto first = epoch_order(candidates, "shuffle", 42, 0);
  CHECK(std::set<std::int64_t>(first.begin(), first.end()).size() == 100);
  CHECK(first == epoch_order(candidates, "shuffle", 42, 0));
  CHECK(first != epoch_order(candidates, "shuffle", 42, 1));
  CHECK(first != epoch_order(candidates, "shuffle", 43, 0));
}

TEST_CASE("balanced samplers draw classes, and groups within them, evenly") {
  const auto candidates = unbalanced();
  for (const std::string sampler : {"balanced", "group_balanced"}) {
    std::map<std::string, double> groups;
    constexpr int epochs = 100;
    for (int epoch = 0; epoch < epochs; ++epoch)
      for (const auto i : epoch_order(candidates, sampler, 1, epoch))
        groups[candidates.groups[static_cast<std::size_t>(i)]] += 1.0 / (100.0 * epochs);
    INFO(sampler);
    const double of_b = sampler == "balanced" ? 0.5 * 10 / 90 : 0.25;
    const double tolerance = 5 * std::sqrt(0.25 / (100.0 * epochs));
    CHECK(std::abs(groups["c"] - 0.5) < tolerance);
    CHECK(std::abs(groups["b"] - of_b) < tolerance);
    CHECK(std::abs(groups["a"] - (0.5 - of_b)) < tolerance);
  }
}

TEST_CASE("repetitions count how often a sample came before") {
  const std::vector<std::int64_t> order{7, 3, 7, 7, 3, 5};
  CHECK(repetitions(order) == std::vector<std::int64_t>{0, 0, 1, 2, 1, 0});
}

TEST_CASE("what a sampler cannot do it says") {
  auto candidates = unbalanced();
  candidates.groups.clear();
  try {
    epoch_order(candidates, "group_balanced", 1, 0);
    FAIL("drew groups that are not known");
  } catch (const Error& error) {
    CHECK(std::string(error.what()) ==
          "train.sampler: group_balanced needs groups, and the split has none; "
          "set data.split.by to an attribute, or use \"balanced\"");
  }
}
