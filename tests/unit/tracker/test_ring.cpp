#include <thread>
#include <vector>

#include "tests/catch.h"
#include "tracker/ring.h"

using bcx::tracker::Ring;

TEST_CASE("a ring is full at its capacity and empty after as many pops") {
  Ring<int> ring(4);
  for (int i = 0; i < 4; ++i) CHECK(ring.try_push(i));
  CHECK_FALSE(ring.try_push(4));
  int value = -1;
  for (int i = 0; i < 4; ++i) {
    REQUIRE(ring.try_pop(value));
    CHECK(value == i);
  }
  CHECK_FALSE(ring.try_pop(value));
  CHECK(ring.try_push(9));
  REQUIRE(ring.try_pop(value));
  CHECK(value == 9);
}

TEST_CASE("many producers lose nothing, and each one's values stay in order") {
  struct Item {
    int producer = 0, number = 0;
  };
  constexpr int producers = 8, each = 4'000;
  Ring<Item> ring(1024);
  std::vector<std::thread> threads;
  for (int p = 0; p < producers; ++p)
    threads.emplace_back([&ring, p] {
      for (int i = 0; i < each; ++i)
        while (!ring.try_push({p, i})) std::this_thread::yield();
    });
  std::vector<int> next(producers, 0);
  bool ordered = true;
  Item item;
  for (int taken = 0; taken < producers * each;) {
    if (!ring.try_pop(item)) {
      std::this_thread::yield();
      continue;
    }
    ordered = ordered && next[item.producer]++ == item.number;
    ++taken;
  }
  for (auto& thread : threads) thread.join();
  CHECK(ordered);
  CHECK(ring.pushed() == producers * each);
  CHECK_FALSE(ring.try_pop(item));
}
