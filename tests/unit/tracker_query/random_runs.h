// Runs of every kind that filters must tell apart.
#pragma once

#include <array>
#include <limits>
#include <random>

#include "small_tracker.h"

namespace bcx::test {

/// 2026-11-20, 00:00 UTC.
inline constexpr std::int64_t first_day = 1795132800;

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : engine_(seed) {}
  int below(int count) { return static_cast<int>(engine_() % static_cast<std::uint64_t>(count)); }
  bool one_in(int count) { return below(count) == 0; }
  template <typename List>
  auto& of(List& list) {
    return list[static_cast<std::size_t>(below(static_cast<int>(std::size(list))))];
  }

 private:
  std::mt19937_64 engine_;
};

inline const std::array<std::string, 6> some_texts{"adam", "sgd",  "Adam",
                                                   "it's", "50 %", "größe \"x\"_1"};
inline const std::array<double, 7> some_reals{
    0.0, 1e-3, 0.5, 0.75, 3.0, std::numeric_limits<double>::infinity(), 9007199254740993.0};
inline const std::array<std::int64_t, 6> some_integers{0, 1, 3, -7, 1000, 9007199254740993};

inline SmallRun random_run(Dice& dice) {
  SmallRun run;
  const std::array<const char*, 5> status{"finished", "finished", "running", "stopped", "failed"};
  run.status = dice.of(status);
  run.elsewhere = dice.one_in(3);
  run.name = dice.of(some_texts);
  if (dice.one_in(2)) run.notes = dice.of(some_texts);
  run.started = (first_day + dice.below(5 * 86400)) * 1'000'000 + dice.below(1'000'000);
  run.seconds = dice.below(4) * 1800;
  run.seed = dice.below(4);
  for (const auto& tag : {"paper", "demo", "it's"})
    if (dice.one_in(3)) run.tags.push_back(tag);
  if (dice.one_in(4)) run.stamps.push_back("LEAKY");
  const double nan = std::numeric_limits<double>::quiet_NaN();
  if (!dice.one_in(4))
    run.params.push_back(
        {"optimizer.learning_rate", {"float", dice.one_in(6) ? nan : dice.of(some_reals)}});
  // A key whose type differs from run to run.
  const int kind = dice.below(4);
  if (kind == 0) run.params.push_back({"model.depth", {"int", dice.of(some_integers)}});
  if (kind == 1) run.params.push_back({"model.depth", {"string", dice.of(some_texts)}});
  if (kind == 2) run.params.push_back({"model.depth", {"float", dice.of(some_reals)}});
  if (!dice.one_in(3)) run.params.push_back({"optimizer.name", {"string", dice.of(some_texts)}});
  if (!dice.one_in(3))
    run.params.push_back({"train.deterministic", {"bool", std::int64_t{dice.below(2)}}});
  if (dice.one_in(2)) run.params.push_back({"data.classes", {"list", std::string("[1,\"adam\"]")}});
  for (const char* name : {"val.auc", "val.loss", "train.loss"}) {
    if (dice.one_in(4)) continue;
    SmallMetric metric{name, dice.one_in(5) ? nan : dice.of(some_reals), {}, {}};
    if (!dice.one_in(6)) metric.min = 0.0, metric.max = dice.of(some_reals);
    run.metrics.push_back(metric);
  }
  return run;
}

}  // namespace bcx::test
