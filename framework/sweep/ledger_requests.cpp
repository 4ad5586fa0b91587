// What is asked of a ledger from outside: by another engine (ask, tell), by a trial's own process
// (prune_here) and by people (extend, confirm).
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "sweep/ledger.h"
#include "tracker/host.h"
#include "tracker/schema.h"

namespace bcx::sweep {
namespace {

using tracker::Transaction;

/// Fresh seeds begin so far from the experiment's; sweep.seeds is less.
constexpr std::int64_t fresh_seeds = 1000;

}  // namespace

std::optional<Trial> Ledger::ask(const std::optional<Point>& point) {
  Transaction transaction(database_);
  auto all = trials();
  bury_the_dead(all);
  std::optional<Trial> given;
  if (point) {
    for (auto& trial : all)
      if (!trial.confirms() && trial.point == *point) given = trial;
    if (!given) given = add(all.empty() ? 0 : all.back().number() + 1, *point, *point);
  } else {
    for (auto& trial : all)
      if (!given && (trial.row.state == "waiting" || trial.row.state == "stopped")) given = trial;
    const auto curves = courses_to_draw_by(all);
    if (!given && has_budget(all, curves)) given = draw(all, curves);
  }
  if (given && !given->is_over() && given->row.state != "running") {
    start(*given);
    given->row.message = Trial::asked_message;
    put(*given);
  }
  transaction.commit();
  return given;
}

void Ledger::tell(std::int64_t number, std::optional<double> value, const std::string& message) {
  Transaction transaction(database_);
  bool found = false;
  for (auto& trial : trials()) {
    if (trial.number() != number) continue;
    found = true;
    trial.row.state = value ? "finished" : message.empty() ? "infeasible" : "failed";
    trial.row.value = value;
    trial.row.message = message;
    trial.row.ended = tracker::now_microseconds();
    put(trial);
  }
  if (!found)
    throw Error(ExitCode::usage, {fmt::format("sweep {} has no trial {}", sweep_.name, number), "",
                                  "`bcx sweep show` lists them"});
  transaction.commit();
}

bool Ledger::prune_here(std::int64_t number) {
  if (plan_.pruner.name == "none") return false;
  Transaction transaction(database_);
  const auto all = trials();
  const auto curves = courses(all);
  std::vector<Course> in_search;
  const Trial* trial = nullptr;
  const Course* course = nullptr;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i].confirms()) continue;
    in_search.push_back(curves[i]);
    if (all[i].number() == number) trial = &all[i], course = &curves[i];
  }
  if (!trial || trial->extended() || trial->row.state != "running") return false;
  if (!Pruner(plan_.pruner, plan_.epochs_per_trial).stops(*course, in_search)) return false;
  auto pruned = *trial;
  pruned.row.state = "pruned";
  pruned.row.value = plan_.cost(course->best(course->epochs()));  // its own inverse
  if (!std::isfinite(*pruned.row.value)) pruned.row.value.reset();
  pruned.row.message =
      fmt::format("after {} of {} epochs", course->epochs(), plan_.epochs_per_trial);
  pruned.row.ended = tracker::now_microseconds();
  put(pruned);
  transaction.commit();
  return true;
}

std::int64_t Ledger::extend(const std::vector<std::int64_t>& numbers, std::int64_t epochs) {
  for (const auto& axis : plan_.space.axes)
    if (axis.key == "train.epochs")
      throw Error(ExitCode::usage, {"train.epochs is a parameter of this sweep", sweep_.name,
                                    "extend a run by itself: bcx resume RUN --set train.epochs=N"});
  Transaction transaction(database_);
  std::int64_t count = 0;
  for (auto& trial : trials()) {
    if (std::find(numbers.begin(), numbers.end(), trial.number()) == numbers.end()) continue;
    const auto set = trial.set.find("train.epochs");
    const auto target =
        set == trial.set.end() ? plan_.epochs_per_trial : std::get<std::int64_t>(set->second);
    if (trial.row.state == "finished" && epochs <= target)
      throw Error(ExitCode::usage,
                  {fmt::format("trial {} has had {} epochs", trial.number(), target), sweep_.name,
                   fmt::format("--epochs {} or more", target + 1)});
    if (trial.row.state == "running")
      throw Error(ExitCode::usage, {fmt::format("trial {} is running", trial.number()), sweep_.name,
                                    "wait for it, or stop it"});
    trial.set["train.epochs"] = epochs;
    trial.row.state = "waiting";
    trial.row.attempts = 0;
    put(trial);
    ++count;
  }
  transaction.commit();
  return count;
}

std::vector<std::int64_t> Ledger::confirm(const Point& point, std::int64_t runs) {
  Transaction transaction(database_);
  std::vector<std::int64_t> numbers;
  std::int64_t next = 0;
  for (const auto& trial : trials()) {
    next = trial.number() + 1;
    if (trial.confirms() && trial.point == point) numbers.push_back(trial.number());
  }
  while (std::ssize(numbers) < runs) {
    Point set = point;
    set["evaluate.test"] = true;
    set["experiment.seed"] =
        static_cast<std::int64_t>(plan_.seed) + fresh_seeds + std::ssize(numbers);
    add(next, point, std::move(set));
    numbers.push_back(next++);
  }
  transaction.commit();
  return numbers;
}

}  // namespace bcx::sweep
