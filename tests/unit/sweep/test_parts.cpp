// A sweep parted among ledgers that do not see each other.
#include <algorithm>
#include <map>
#include <set>

#include "sweep/ledger.h"
#include "tests/catch.h"
#include "tracker/transfer.h"

using namespace bcx::sweep;
using bcx::test::TemporaryFolder;

namespace {

Plan plan_of(const std::string& method, std::int64_t trials, std::int64_t seeds) {
  Plan plan;
  plan.name = "parted";
  plan.method = method;
  plan.objective = "val.loss";
  plan.maximize = false;
  plan.trials = trials;
  plan.seeds = seeds;
  plan.epochs_per_trial = 1;
  plan.experiment = "# none\n";
  Axis a, b;
  a.key = "a";
  a.choices = {std::int64_t{1}, std::int64_t{2}, std::int64_t{3}, std::int64_t{4}};
  b.key = "b";
  b.scale = Axis::Scale::integer;
  b.low = 1;
  b.high = 5;
  plan.space.axes = {a, b};
  return plan;
}

/// What each trial of a ledger sets, drawn until there is no more.
std::vector<std::string> drawn(Ledger& ledger, std::int64_t most = 1000) {
  std::vector<std::string> all;
  while (most-- > 0) {
    const auto claim = ledger.claim();
    if (!claim) break;
    all.push_back(text_of(claim->trial.set));
    ledger.tell(claim->trial.number(), static_cast<double>(claim->trial.number() % 7), "");
  }
  return all;
}

std::vector<std::string> sorted(std::vector<std::string> list) {
  std::sort(list.begin(), list.end());
  return list;
}

}  // namespace

TEST_CASE("parts of a sweep draw together what one ledger draws alone") {
  struct Case {
    const char* method;
    std::int64_t trials, seeds, begun;
  };
  for (const auto& [method, trials, seeds, begun] :
       {Case{"grid", 0, 1, 0}, Case{"grid", 0, 2, 5}, Case{"random", 12, 1, 0},
        Case{"random", 12, 3, 4}, Case{"sobol", 16, 1, 3}}) {
    INFO(method << ", " << trials << " points of " << seeds << " seeds, " << begun << " begun");
    const TemporaryFolder folder;
    const auto plan = plan_of(method, trials, seeds);
    auto whole = Ledger::begin(folder / "whole.db", plan, Ledger::Begin::go_on);
    const auto expected = drawn(whole);

    auto main = Ledger::begin(folder / "main.db", plan, Ledger::Begin::go_on);
    auto together = drawn(main, begun);
    const auto first = begun;
    bcx::tracker::export_sweep(main.database(), main.sweep().id, {}, folder / "seed.db");
    std::set<std::int64_t> numbers;
    for (std::int64_t part = 0; part < 3; ++part) {
      const auto own = folder / ("part-" + std::to_string(part)) / "bcx.db";
      bcx::tracker::merge_sweeps(own, folder / "seed.db");
      Ledger ledger(own, main.sweep().id);
      ledger.take_part(part, 3, first);
      const auto mine = drawn(ledger);
      CHECK(mine.size() >= static_cast<std::size_t>((std::ssize(expected) - begun) / 3 - seeds));
      together.insert(together.end(), mine.begin(), mine.end());
      for (const auto& trial : ledger.trials())
        if (trial.number() >= first) CHECK(numbers.insert(trial.number()).second);
      bcx::tracker::merge_sweeps(main.database(), own);
    }
    CHECK(sorted(together) == sorted(expected));
    // Brought together there is nothing left to draw, and once more changes nothing.
    CHECK(main.trials().size() == expected.size());
    bcx::tracker::merge_sweeps(main.database(), folder / "part-1" / "bcx.db");
    CHECK(main.trials().size() == expected.size());
    CHECK(drawn(main).empty());
  }
}

TEST_CASE("parts of a tpe sweep share out the points, and none draws one twice") {
  const TemporaryFolder folder;
  auto main = Ledger::begin(folder / "main.db", plan_of("tpe", 14, 1), Ledger::Begin::go_on);
  bcx::tracker::export_sweep(main.database(), main.sweep().id, {}, folder / "seed.db");
  std::size_t count = 0;
  for (std::int64_t part = 0; part < 3; ++part) {
    const auto own = folder / ("part-" + std::to_string(part)) / "bcx.db";
    bcx::tracker::merge_sweeps(own, folder / "seed.db");
    Ledger ledger(own, main.sweep().id);
    ledger.take_part(part, 3, 0);
    const auto mine = drawn(ledger);
    CHECK(std::set(mine.begin(), mine.end()).size() == mine.size());
    count += mine.size();
  }
  CHECK(count == 14);
}

TEST_CASE("of a trial in two files the later state is kept") {
  const TemporaryFolder folder;
  auto main = Ledger::begin(folder / "main.db", plan_of("grid", 0, 1), Ledger::Begin::go_on);
  drawn(main, 2);
  bcx::tracker::export_sweep(main.database(), main.sweep().id, {}, folder / "old.db");
  main.tell(1, 0.25, "");
  bcx::tracker::merge_sweeps(main.database(), folder / "old.db");
  CHECK(*main.trials()[1].row.value == 0.25);
  bcx::tracker::export_sweep(main.database(), main.sweep().id, {}, folder / "new.db");
  bcx::tracker::merge_sweeps(folder / "other.db", folder / "old.db");
  bcx::tracker::merge_sweeps(folder / "other.db", folder / "new.db");
  const Ledger other(folder / "other.db", main.sweep().id);
  CHECK(*other.trials()[1].row.value == 0.25);
}
