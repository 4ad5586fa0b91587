#include "sweep/ranking.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include "eval/distributions.h"

namespace bcx::sweep {
namespace {

constexpr double confidence = 0.95;

double mean_of(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

void add(Ranked& entry, const Trial& trial, const Course& course) {
  const auto& state = trial.row.state;
  const bool first = entry.trials.empty();
  entry.point = trial.point;
  entry.trials.push_back(trial.number());
  entry.epochs = first ? course.epochs() : std::min(entry.epochs, course.epochs());
  entry.finished = (first || entry.finished) && state == "finished";
  if (state == "failed" || state == "infeasible" || (state == "finished" && !trial.row.value))
    entry.broken = true;
  else if (trial.row.value)
    entry.values.push_back(*trial.row.value);
}

/// Half the width of the bounds for one seed; 0 where no point has several.
double half_width(const std::vector<Ranked>& all) {
  double squares = 0, freedom = 0;
  for (const auto& one : all) {
    for (const double value : one.values) squares += (value - one.mean) * (value - one.mean);
    freedom += static_cast<double>(one.values.size()) - 1;
  }
  if (freedom < 1) return 0;
  return eval::student_quantile(confidence, freedom) * std::sqrt(squares / freedom);
}

}  // namespace

std::vector<Ranked> rank(const Plan& plan, const std::vector<Trial>& trials,
                         const std::vector<Course>& courses) {
  std::map<std::string, Ranked> points;
  for (std::size_t i = 0; i < trials.size(); ++i)
    if (!trials[i].confirms()) add(points[text_of(trials[i].point)], trials[i], courses[i]);
  std::vector<Ranked> all;
  for (auto& [text, one] : points)
    if (!one.values.empty()) all.push_back(std::move(one));
  for (auto& one : all) one.mean = mean_of(one.values);
  const double width = half_width(all);
  for (auto& one : all) {
    const double below = width / std::sqrt(static_cast<double>(one.values.size()));
    one.bound = plan.maximize ? one.mean - below : one.mean + below;
  }
  const auto key = [&](const Ranked& one) {
    return std::tuple(one.broken, !one.finished, one.finished ? 0 : -one.epochs,
                      plan.cost(one.bound), one.trials.front());
  };
  std::sort(all.begin(), all.end(),
            [&](const Ranked& a, const Ranked& b) { return key(a) < key(b); });
  return all;
}

}  // namespace bcx::sweep
