// Plays a sampler on a test function; tools/peers/samplers.py puts other people's beside it.
//
//     bcx_samplers branin|hartmann6 random|sobol|tpe SEEDS TRIALS
//
// A line for each trial: seed, coordinates, value.
#include <fmt/core.h>

#include <cstdlib>
#include <string>

#include "sweep/sampler.h"
#include "test_functions.h"

int main(int count, char** words) {
  const std::string function = count == 5 ? words[1] : "";
  if (function != "branin" && function != "hartmann6") {
    fmt::print(stderr, "usage: bcx_samplers branin|hartmann6 random|sobol|tpe SEEDS TRIALS\n");
    return 2;
  }
  const bool two = function == "branin";
  const auto space = two ? bcx::test::branin_space() : bcx::test::hartmann6_space();
  for (std::uint64_t seed = 0; seed < std::strtoull(words[3], nullptr, 10); ++seed) {
    const auto sampler = bcx::sweep::make_sampler(words[2], space, seed);
    std::vector<bcx::sweep::Outcome> finished;
    for (std::int64_t i = 0; i < std::atoll(words[4]); ++i) {
      const auto point = *sampler->propose(i, finished);
      finished.push_back({point, two ? bcx::test::branin(point) : bcx::test::hartmann6(point)});
      fmt::print("{}", seed);
      for (const auto& axis : space.axes) fmt::print(" {}", bcx::test::at(point, axis.key));
      fmt::print(" {}\n", finished.back().value);
    }
  }
}
