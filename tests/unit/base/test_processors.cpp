// How many cores a process may use.

#include <sched.h>

#include "base/processors.h"
#include "tests/catch.h"

TEST_CASE("usable cores are those of the affinity, and no more than a quota grants") {
  cpu_set_t before, one;
  REQUIRE(sched_getaffinity(0, sizeof(before), &before) == 0);
  const int all = bcx::usable_cores();
  CHECK(all >= 1);
  CHECK(all <= CPU_COUNT(&before));
  CPU_ZERO(&one);
  for (int core = 0; CPU_COUNT(&one) == 0; ++core)
    if (CPU_ISSET(core, &before)) CPU_SET(core, &one);
  REQUIRE(sched_setaffinity(0, sizeof(one), &one) == 0);
  CHECK(bcx::usable_cores() == 1);
  REQUIRE(sched_setaffinity(0, sizeof(before), &before) == 0);
  CHECK(bcx::usable_cores() == all);
}
