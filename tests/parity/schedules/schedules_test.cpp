// Schedules against ../shared/parity/schedules.json (torch.optim.lr_scheduler).
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/catch.h"
#include "train/schedule.h"

namespace {

void meet(const char* name, const bcx::config::ScheduleConfig& config) {
  INFO(name);
  std::ifstream file(bcx::test::shared_dir() / "parity/schedules.json");
  const auto expected =
      nlohmann::json::parse(file).at(name).at("learning_rate").get<std::vector<double>>();
  const double base = 0.1;
  const bcx::train::Schedule schedule(config, base, 30);
  REQUIRE(expected.size() == 30);
  for (std::size_t epoch = 0; epoch < expected.size(); ++epoch) {
    INFO("epoch " << epoch);
    CHECK(std::abs(base * schedule.factor(static_cast<double>(epoch)) - expected[epoch]) < 1e-12);
  }
}

}  // namespace

TEST_CASE("schedules agree with torch's") {
  BCX_NEEDS_SHARED("parity/schedules.json");
  meet("step", {.name = "step", .step_size = 7, .gamma = 0.3});
  meet("multistep", {.name = "multistep", .milestones = {5, 12, 20}, .gamma = 0.2});
  meet("exponential", {.name = "exponential", .gamma = 0.9});
  meet("cosine_restarts", {.name = "cosine_restarts",
                           .min_learning_rate = 1e-4,
                           .restart_period = 5,
                           .restart_multiplier = 2});
  meet("polynomial", {.name = "polynomial", .power = 2.0});
  meet("cosine", {.name = "cosine", .min_learning_rate = 1e-4});
  meet("linear_warmup_cosine", {.name = "cosine", .warmup = 5, .warmup_factor = 0.1});
  meet("one_cycle", {.name = "one_cycle"});
}
