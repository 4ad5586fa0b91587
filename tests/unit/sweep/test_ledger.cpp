// Drawing, dying and telling, without processes.

#include <set>

#include "base/error.h"
#include "sweep/ledger.h"
#include "tests/catch.h"

using namespace bcx;
using namespace bcx::sweep;

namespace {

Plan plan_of(const std::string& method, std::int64_t trials = 0) {
  Plan plan;
  plan.name = "s";
  plan.method = method;
  plan.trials = trials;
  plan.epochs_per_trial = 4;
  Axis size, rate;
  size.key = "train.batch_size";
  size.choices = {std::int64_t{4}, std::int64_t{8}, std::int64_t{16}};
  rate.key = "optimizer.learning_rate";
  rate.choices = {1e-3, 1e-2};
  plan.space.axes = {size, rate};
  return plan;
}

}  // namespace

TEST_CASE("several at one sweep draw each trial once, and a finite space runs out") {
  for (const std::string method : {"grid", "random", "sobol", "tpe"}) {
    INFO(method);
    const test::TemporaryFolder folder;
    auto one = Ledger::begin(folder / "a.db", plan_of(method, method == "grid" ? 0 : 50),
                             Ledger::Begin::go_on);
    Ledger two(folder / "a.db", "@last");
    std::set<std::string> points;
    std::set<std::int64_t> numbers;
    std::vector<Claim> held;
    for (int i = 0;; ++i) {
      auto claim = (i % 2 == 0 ? one : two).claim();
      if (!claim) break;
      CHECK(points.insert(text_of(claim->trial.point)).second);
      CHECK(numbers.insert(claim->trial.number()).second);
      one.tell(claim->trial.number(), 0.1 * i, "");
      held.push_back(std::move(*claim));
    }
    CHECK(points.size() == 6);
    CHECK(!one.is_running());
  }
}

TEST_CASE("seeds repeat each point, and points are those of one seed") {
  const test::TemporaryFolder folder;
  auto plan = plan_of("random", 4);
  plan.seeds = 3;
  auto ledger = Ledger::begin(folder / "a.db", plan, Ledger::Begin::go_on);
  std::map<std::string, std::set<std::int64_t>> seeds;
  while (auto claim = ledger.claim()) {
    seeds[text_of(claim->trial.point)].insert(
        std::get<std::int64_t>(claim->trial.set.at("experiment.seed")));
    ledger.tell(claim->trial.number(), 1.0, "");
  }
  REQUIRE(seeds.size() == 4);
  for (const auto& [point, of_point] : seeds) CHECK(of_point == std::set<std::int64_t>{42, 43, 44});
}

TEST_CASE("a trial whose lock is free has died: it is taken up, three times at most") {
  const test::TemporaryFolder folder;
  auto ledger = Ledger::begin(folder / "a.db", plan_of("grid"), Ledger::Begin::go_on);
  for (int attempt = 1; attempt <= 3; ++attempt) {
    const auto claim = ledger.claim();
    REQUIRE(claim);
    CHECK(claim->trial.number() == 0);
    CHECK(claim->trial.row.attempts == attempt);
    CHECK(ledger.is_running());
    // While the lock is held, nobody else takes it.
    Ledger other(folder / "a.db", "@last");
    const auto next = other.claim();
    REQUIRE(next);
    CHECK(next->trial.number() != 0);
    other.tell(next->trial.number(), 1.0, "");
  }
  const auto claim = ledger.claim();
  REQUIRE(claim);
  CHECK(claim->trial.number() != 0);
  const auto trials = ledger.trials();
  CHECK(trials[0].row.state == "failed");
  CHECK(trials[0].row.message == "3 attempts, none of which got on: its process died");
}

TEST_CASE("a trial that was asked for waits to be told, and is not taken for dead") {
  const test::TemporaryFolder folder;
  auto ledger = Ledger::begin(folder / "a.db", plan_of("grid"), Ledger::Begin::go_on);
  const auto asked = ledger.ask(std::nullopt);
  REQUIRE(asked);
  const auto claim = ledger.claim();
  REQUIRE(claim);
  CHECK(claim->trial.number() == asked->number() + 1);
  CHECK(ledger.trials()[0].asked());
  ledger.tell(asked->number(), std::nullopt, "");
  CHECK(ledger.trials()[0].row.state == "infeasible");
}

TEST_CASE("how a process ended decides what its trial is") {
  const test::TemporaryFolder folder;
  auto ledger = Ledger::begin(folder / "a.db", plan_of("grid"), Ledger::Begin::go_on);
  const auto end = [&](const Ended& ended) {
    const auto claim = ledger.claim();
    REQUIRE(claim);
    ledger.settle(claim->trial.number(), ended);
    return ledger.trials()[static_cast<std::size_t>(claim->trial.number())].row;
  };
  CHECK(end({5, true, false, "out of memory"}).state == "infeasible");
  CHECK(end({5, false, false, "there is no GPU"}).message == "there is no GPU");
  CHECK(end({0}).message == "the process ended without a run");
  CHECK(end({75}).state == "stopped");
  const auto killed = end({128 + 9});  // the same trial again
  CHECK(killed.number == 3);
  CHECK(killed.state == "waiting");
  CHECK(killed.attempts == 1);
  CHECK(end({128 + 9, true}).state == "infeasible");
}

TEST_CASE("the same plan goes on, another one is a question, and the budget may change") {
  const test::TemporaryFolder folder;
  const auto id =
      Ledger::begin(folder / "a.db", plan_of("random", 4), Ledger::Begin::go_on).sweep().id;
  const auto again = Ledger::begin(folder / "a.db", plan_of("random", 9), Ledger::Begin::go_on);
  CHECK(again.sweep().id == id);
  CHECK(again.plan().trials == 9);
  CHECK(Ledger::begin(folder / "a.db", plan_of("random", 4), Ledger::Begin::another).sweep().id !=
        id);
  auto other = plan_of("random", 4);
  other.objective = "val.loss";
  CHECK_THROWS_AS(Ledger::begin(folder / "a.db", other, Ledger::Begin::go_on), Error);
}
