#include <cmath>
#include <limits>

#include "tests/catch.h"
#include "train/learning_rate_test.h"

using bcx::train::LearningRateRamp;

TEST_CASE("rates rise by equal factors from the lowest to the highest") {
  const LearningRateRamp ramp;
  CHECK(ramp.rate(0) == Approx(LearningRateRamp::lowest));
  CHECK(ramp.rate(LearningRateRamp::steps - 1) == Approx(LearningRateRamp::highest));
  CHECK(ramp.rate(11) / ramp.rate(10) == Approx(ramp.rate(71) / ramp.rate(70)));
}

TEST_CASE("the mean starts unbiased, and a constant loss suggests nothing") {
  LearningRateRamp ramp;
  for (int i = 0; i < 100; ++i) ramp.add(0.7);
  for (const double loss : ramp.smoothed()) CHECK(loss == Approx(0.7));
  CHECK_FALSE(ramp.suggestion());
  CHECK_FALSE(ramp.diverged());
}

TEST_CASE("the suggestion lies where the loss falls most steeply") {
  // A fall around the rate 1e-3 (in its logarithm), then a rise from 1e-1 on.
  LearningRateRamp ramp;
  for (std::int64_t i = 0; i < LearningRateRamp::steps && !ramp.diverged(); ++i) {
    const double x = std::log10(ramp.rate(i));
    ramp.add(1.0 - 0.8 / (1.0 + std::exp(-4.0 * (x + 3.0))) + (x > -1 ? 4.0 * (x + 1) : 0.0));
  }
  REQUIRE(ramp.suggestion());
  // The smoothing delays it by some steps of 10^(8/99) each.
  CHECK(std::log10(*ramp.suggestion()) > -3.2);
  CHECK(std::log10(*ramp.suggestion()) < -1.9);
  CHECK(ramp.diverged());
}

TEST_CASE("a loss that is no number ends the test without being kept") {
  LearningRateRamp ramp;
  ramp.add(1.0);
  ramp.add(std::numeric_limits<double>::quiet_NaN());
  CHECK(ramp.diverged());
  CHECK(ramp.smoothed().size() == 1);
}
