// The ledger's drawing: which trial comes next, within the budget and, when several ledgers part
// the work, of this one's share.
#include <algorithm>
#include <limits>
#include <set>

#include "sweep/ledger.h"
#include "tracker/host.h"

namespace bcx::sweep {
namespace {

/// A sampler that gives nothing new so often has nothing left.
constexpr std::int64_t most_duplicates = 10'000;

std::vector<const Trial*> searched(const std::vector<Trial>& trials) {
  std::vector<const Trial*> search;
  for (const auto& trial : trials)
    if (!trial.confirms()) search.push_back(&trial);
  return search;
}

/// The length of time covered by intervals, in seconds.
double covered(std::vector<std::pair<std::int64_t, std::int64_t>> intervals) {
  std::sort(intervals.begin(), intervals.end());
  std::int64_t sum = 0, end = std::numeric_limits<std::int64_t>::min();
  for (const auto& [from, to] : intervals) {
    if (to <= end) continue;
    sum += to - std::max(from, end);
    end = to;
  }
  return static_cast<double>(sum) * 1e-6;
}

}  // namespace

/// Reading them all takes its time with many trials, and few sweeps need them to draw.
std::vector<Course> Ledger::courses_to_draw_by(const std::vector<Trial>& trials) const {
  const auto& pruner = plan_.pruner.name;
  if (pruner == "asha" || pruner == "hyperband" || plan_.epochs > 0) return courses(trials);
  return std::vector<Course>(trials.size());
}

bool Ledger::has_budget(const std::vector<Trial>& trials,
                        const std::vector<Course>& courses) const {
  if (plan_.epochs > 0) {
    std::int64_t trained = 0;
    for (const auto& course : courses) trained += course.epochs();
    if (trained * parts_ >= plan_.epochs) return false;
  }
  if (plan_.seconds <= 0) return true;
  std::vector<std::pair<std::int64_t, std::int64_t>> intervals;
  for (const auto& trial : trials)
    if (!trial.row.run.empty())
      for (const auto& attempt : reader_->attempts(trial.row.run))
        intervals.emplace_back(attempt.started,
                               attempt.ended.value_or(tracker::now_microseconds()));
  return covered(std::move(intervals)) < plan_.seconds;
}

/// A promotion, or a new trial.
std::optional<Trial> Ledger::draw(const std::vector<Trial>& trials,
                                  const std::vector<Course>& courses) {
  const auto search = searched(trials);
  std::vector<Course> in_search;
  for (std::size_t i = 0; i < trials.size(); ++i)
    if (!trials[i].confirms()) in_search.push_back(courses[i]);
  if (parts_ > 1)
    std::erase_if(in_search, [&](const Course& course) { return !is_ours(course.number); });
  if (const auto next = Pruner(plan_.pruner, plan_.epochs_per_trial).promotable(in_search))
    for (auto trial : trials)
      if (trial.number() == *next) {
        trial.row.attempts = 0;
        return trial;
      }
  if (parts_ > 1) return draw_part(search);
  const auto count = std::ssize(search);
  if (const auto limit = plan_.trial_count(); limit > 0 && count >= limit) return std::nullopt;
  const auto repeat = count % plan_.seeds;
  std::optional<Point> point;
  if (repeat > 0)
    point = search[static_cast<std::size_t>(count - repeat)]->point;
  else
    point = next_point(search);
  if (!point) return std::nullopt;
  Point set = *point;
  if (plan_.seeds > 1) set["experiment.seed"] = static_cast<std::int64_t>(plan_.seed) + repeat;
  return add(trials.empty() ? 0 : trials.back().number() + 1, *point, std::move(set));
}

std::vector<Outcome> Ledger::outcomes(const std::vector<const Trial*>& search) const {
  std::vector<Outcome> list;
  for (const auto* trial : search) {
    if (!trial->is_over_or_pruned()) continue;
    const double value = trial->row.value.value_or(std::numeric_limits<double>::quiet_NaN());
    list.push_back({trial->point, trial->row.state == "finished" || trial->row.state == "pruned"
                                      ? plan_.cost(value)
                                      : std::numeric_limits<double>::infinity()});
  }
  return list;
}

/// The next point of the sampler that no trial has. Points come in the order of their indexes, and
/// those before the number of points were drawn or were duplicates.
std::optional<Point> Ledger::next_point(const std::vector<const Trial*>& search) const {
  std::set<std::string> there;
  for (const auto* trial : search) there.insert(text_of(trial->point));
  const auto before = outcomes(search);
  const auto points = std::ssize(there);
  if (const auto size = plan_.space.size(); plan_.method != "grid" && size > 0 && points >= size)
    return std::nullopt;
  const auto sampler = make_sampler(plan_.method, plan_.space, plan_.seed);
  for (std::int64_t tried = 0; tried < most_duplicates; ++tried) {
    auto point = sampler->propose(points + tried, before);
    if (!point) return std::nullopt;
    if (!there.contains(text_of(*point))) return point;
  }
  return std::nullopt;
}

/// A new trial of this part. The first part also ends what of the last point was drawn before.
std::optional<Trial> Ledger::draw_part(const std::vector<const Trial*>& search) {
  std::vector<const Trial*> own;
  for (const auto* trial : search)
    if (trial->number() < first_ ? part_ == 0 : is_ours(trial->number())) own.push_back(trial);
  const auto repeat = std::ssize(own) % plan_.seeds;
  const auto drawn = std::count_if(own.begin(), own.end(),
                                   [&](const Trial* trial) { return trial->number() >= first_; });
  const auto point = repeat > 0 ? own[own.size() - static_cast<std::size_t>(repeat)]->point
                                : next_point_of_part(search, drawn / plan_.seeds);
  if (!point) return std::nullopt;
  Point set = *point;
  if (plan_.seeds > 1) set["experiment.seed"] = static_cast<std::int64_t>(plan_.seed) + repeat;
  auto number = first_ + (part_ - first_ % parts_ + parts_) % parts_;
  for (const auto* trial : own)
    if (trial->number() >= number) number = trial->number() + parts_;
  return add(number, *point, std::move(set));
}

/// Of the points that one ledger would draw one after the other, every so many are this part's.
/// What tpe draws depends on what ended before: there, the points that are left are dealt out.
std::optional<Point> Ledger::next_point_of_part(const std::vector<const Trial*>& search,
                                                std::int64_t own) const {
  std::set<std::string> there, before;
  for (const auto* trial : search) {
    there.insert(text_of(trial->point));
    if (trial->number() < first_) before.insert(text_of(trial->point));
  }
  const auto limit = plan_.trial_count() / plan_.seeds;
  const auto sampler = make_sampler(plan_.method, plan_.space, plan_.seed);
  if (plan_.method == "tpe") {
    const auto begun = std::ssize(before), left = limit - begun;
    if (limit > 0 && own >= left / parts_ + (part_ < left % parts_ ? 1 : 0)) return std::nullopt;
    const auto ended = outcomes(search);
    for (std::int64_t tried = 0; tried < most_duplicates; ++tried) {
      auto point = sampler->propose(begun + part_ + (own + tried) * parts_, ended);
      if (!point || !there.contains(text_of(*point))) return point;
    }
    return std::nullopt;
  }
  std::set<std::string> drawn;
  for (std::int64_t index = 0, repeats = 0; repeats < most_duplicates; ++index) {
    auto point = sampler->propose(index, {});
    if (!point) return std::nullopt;
    const auto text = text_of(*point);
    if (!drawn.insert(text).second) {
      ++repeats;
      continue;
    }
    repeats = 0;
    const auto place = std::ssize(drawn) - 1;
    if (limit > 0 && place >= limit) return std::nullopt;
    if (place % parts_ == part_ && !there.contains(text)) return point;
  }
  return std::nullopt;
}

}  // namespace bcx::sweep
