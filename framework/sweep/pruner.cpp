#include "sweep/pruner.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace bcx::sweep {
namespace {

constexpr double infinite = std::numeric_limits<double>::infinity();

double mean(const std::vector<double>& costs, std::int64_t epochs) {
  double sum = 0;
  for (std::int64_t i = 0; i < epochs; ++i) sum += costs[static_cast<std::size_t>(i)];
  return sum / static_cast<double>(epochs);
}

}  // namespace

double Course::best(std::int64_t epochs) const {
  double least = infinite;
  for (std::int64_t i = 0; i < std::min(epochs, std::ssize(costs)); ++i)
    if (const double cost = costs[static_cast<std::size_t>(i)]; cost < least) least = cost;
  return least;
}

Pruner::Pruner(PrunerSettings settings, std::int64_t epochs)
    : settings_(std::move(settings)), epochs_(epochs) {
  for (std::int64_t rung = settings_.min_epochs; rung < epochs_; rung *= settings_.reduction)
    all_rungs_.push_back(rung);
  // Bracket s of s_max begins with ceil((s_max + 1) / (s + 1) * reduction^s) trials.
  const auto last = std::ssize(all_rungs_);
  for (std::int64_t s = last; s >= 0; --s)
    dealt_.push_back(static_cast<std::int64_t>(
        std::ceil(static_cast<double>(last + 1) / static_cast<double>(s + 1) *
                  std::pow(static_cast<double>(settings_.reduction), static_cast<double>(s)))));
}

std::int64_t Pruner::bracket(std::int64_t number) const {
  std::int64_t round = 0;
  for (const auto count : dealt_) round += count;
  auto at = number % round;
  std::int64_t bracket = 0;
  for (const auto count : dealt_) {
    if (at < count) return bracket;
    at -= count;
    ++bracket;
  }
  return 0;
}

std::vector<std::int64_t> Pruner::rungs(std::int64_t number) const {
  if (settings_.name == "asha") return all_rungs_;
  if (settings_.name == "hyperband")
    return {all_rungs_.begin() + bracket(number), all_rungs_.end()};
  std::vector<std::int64_t> every;
  if (settings_.name == "median")
    for (auto epoch = settings_.min_epochs; epoch < epochs_; ++epoch) every.push_back(epoch);
  return every;
}

bool Pruner::passes(const Course& trial, std::int64_t rung, const std::vector<Course>& all) const {
  const bool brackets = settings_.name == "hyperband";
  std::int64_t there = 0, better = 0;
  const double own = trial.best(rung);
  for (const auto& other : all) {
    if (other.epochs() < rung || (brackets && bracket(other.number) != bracket(trial.number)))
      continue;
    ++there;
    const double cost = other.best(rung);
    if (cost < own || (cost == own && other.number < trial.number)) ++better;
  }
  return std::isfinite(own) && better < there / settings_.reduction;
}

bool Pruner::stops(const Course& trial, const std::vector<Course>& all) const {
  const auto epoch = trial.epochs();
  const auto rungs_here = rungs(trial.number);
  if (std::find(rungs_here.begin(), rungs_here.end(), epoch) == rungs_here.end()) return false;
  if (settings_.name != "median") return !passes(trial, epoch, all);
  std::vector<double> averages;
  for (const auto& other : all)
    if (other.finished && other.number != trial.number && other.epochs() >= epoch)
      averages.push_back(mean(other.costs, epoch));
  if (std::ssize(averages) < settings_.startup_trials) return false;
  std::sort(averages.begin(), averages.end(), [](double a, double b) {
    return std::isnan(b) ? !std::isnan(a) : a < b;  // what is no number is worst
  });
  const auto half = averages.size() / 2;
  const double median =
      averages.size() % 2 == 1 ? averages[half] : (averages[half - 1] + averages[half]) / 2;
  return !(trial.best(epoch) <= median) && !std::isnan(median);
}

std::optional<std::int64_t> Pruner::promotable(const std::vector<Course>& all) const {
  if (settings_.name != "asha" && settings_.name != "hyperband") return std::nullopt;
  const Course* next = nullptr;
  for (const auto& trial : all) {
    const auto rungs_here = rungs(trial.number);
    const auto rung = trial.epochs();
    if (!trial.pruned ||
        std::find(rungs_here.begin(), rungs_here.end(), rung) == rungs_here.end() ||
        !passes(trial, rung, all))
      continue;
    if (!next || rung > next->epochs() ||
        (rung == next->epochs() && trial.best(rung) < next->best(rung)))
      next = &trial;
  }
  return next ? std::optional(next->number) : std::nullopt;
}

}  // namespace bcx::sweep
