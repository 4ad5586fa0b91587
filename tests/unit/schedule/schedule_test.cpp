#include "train/schedule.h"

#include "base/error.h"
#include "tests/catch.h"

using bcx::config::ScheduleConfig;
using bcx::train::Schedule;

namespace {

std::string refusal(const ScheduleConfig& config) {
  try {
    const Schedule schedule(config, 0.1, 20);
  } catch (const bcx::Error& error) {
    CHECK(error.code() == bcx::ExitCode::usage);
    return error.what();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("a constant schedule is 1 everywhere, also when nothing is trained") {
  const Schedule schedule({}, 0.1, 0);
  for (const double position : {0.0, 0.5, 7.0, 1e6}) CHECK(schedule.factor(position) == 1.0);
}

TEST_CASE("warm-up rises linearly within epochs and meets the schedule without a jump") {
  for (const char* name :
       {"constant", "cosine", "step", "exponential", "cosine_restarts", "polynomial"}) {
    INFO(name);
    const Schedule schedule({.name = name, .warmup = 4, .warmup_factor = 0.2}, 0.1, 20);
    CHECK(schedule.factor(0) == Approx(0.2));
    CHECK(schedule.factor(2.5) == Approx(0.7));
    CHECK(schedule.factor(4) == Approx(1.0));
    CHECK(schedule.factor(4 - 1e-9) == Approx(1.0));
  }
}

TEST_CASE("the horizon is the configured one, and a run that goes on keeps its last rate") {
  const Schedule cosine({.name = "cosine", .horizon = 10, .min_learning_rate = 0.001}, 0.1, 20);
  CHECK(cosine.horizon() == 10);
  CHECK(cosine.factor(5) == Approx((1 + 0.01) / 2));
  CHECK(cosine.factor(10) == Approx(0.01));
  CHECK(cosine.factor(15) == Approx(0.01));
  const Schedule cycle({.name = "one_cycle"}, 0.1, 30);
  CHECK(cycle.factor(30) == Approx(1 / 25.0 / 1e4));
  CHECK(cycle.factor(99) == Approx(1 / 25.0 / 1e4));
}

TEST_CASE("the smallest rate is a floor for steps, and never above the base rate") {
  const Schedule steps({.name = "step", .min_learning_rate = 0.02, .step_size = 1, .gamma = 0.1},
                       0.1, 20);
  CHECK(steps.factor(0.99) == 1.0);
  CHECK(steps.factor(1) == Approx(0.2));
  CHECK(Schedule({.name = "cosine", .min_learning_rate = 0.5}, 0.1, 20).factor(20) == 1.0);
}

TEST_CASE("restarts are where the periods end, whatever their growth") {
  for (const double growth : {1.0, 1.5, 2.0, 3.0}) {
    INFO(growth);
    const Schedule schedule(
        {.name = "cosine_restarts", .restart_period = 3, .restart_multiplier = growth}, 0.1, 20);
    double start = 0, length = 3;
    for (int n = 0; n < 8; ++n, start += length, length *= growth) {
      CHECK(schedule.factor(start) == Approx(1.0).epsilon(1e-12));
      CHECK(schedule.factor(start + length / 2) == Approx(0.5).epsilon(1e-9));
    }
  }
}

TEST_CASE("a polynomial ends at the smallest rate and stays there") {
  const Schedule schedule({.name = "polynomial", .min_learning_rate = 0.02, .power = 2.0}, 0.1, 10);
  CHECK(schedule.factor(5) == Approx(0.2 + 0.8 * 0.25));
  CHECK(schedule.factor(10) == Approx(0.2));
  CHECK(schedule.factor(50) == Approx(0.2));
}

TEST_CASE("one_cycle of a single epoch starts at its peak") {
  CHECK(Schedule({.name = "one_cycle"}, 0.1, 1).factor(0) == 1.0);
}

TEST_CASE("schedules that make no sense are refused with a remedy") {
  CHECK(refusal({.name = "cosin"}) ==
        "schedule.name: unknown schedule \"cosin\"; did you mean \"cosine\"?");
  CHECK(
      refusal({.name = "multistep"}) ==
      "schedule.milestones: multistep needs to know where its steps are; set it, say to [10, 15]");
  CHECK(refusal({.name = "multistep", .milestones = {3, 3}}) ==
        "schedule.milestones: expected numbers that rise; sort them");
  CHECK(refusal({.name = "one_cycle", .warmup = 2}) ==
        "schedule.warmup: one_cycle has its own warm-up; set schedule.pct_start instead");
  CHECK(refusal({.name = "cosine", .warmup = 20}) ==
        "schedule.warmup: a warm-up of 20.0 leaves nothing of the schedule's 20.0 epochs; make it "
        "shorter");
}
