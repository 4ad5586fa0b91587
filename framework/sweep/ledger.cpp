#include "sweep/ledger.h"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/text.h"
#include "tracker/host.h"
#include "tracker/run_store.h"
#include "tracker/schema.h"

namespace bcx::sweep {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using tracker::RunShown;
using tracker::Transaction;
using tracker::TrialRow;

constexpr std::chrono::milliseconds no_patience(0);
/// A sampler that gives nothing new so often has nothing left.
constexpr std::int64_t most_duplicates = 10'000;
constexpr const char* asked_message = "another engine works at it";
constexpr const char* micro_batches_key = "sweep.micro_batches";
/// Fresh seeds begin so far from the experiment's; sweep.seeds is less.
constexpr std::int64_t fresh_seeds = 1000;

Trial trial_of(TrialRow row, const Plan& plan) {
  Trial trial;
  trial.set = point_from_json(json::parse(row.parameters));
  if (const auto parts = trial.set.find(micro_batches_key); parts != trial.set.end()) {
    trial.micro_batches = std::get<std::int64_t>(parts->second);
    trial.set.erase(parts);
  }
  for (const auto& axis : plan.space.axes)
    if (const auto found = trial.set.find(axis.key); found != trial.set.end())
      trial.point.insert(*found);
  trial.row = std::move(row);
  return trial;
}

std::string parameters_text(const Trial& trial) {
  auto j = to_json(trial.set);
  if (trial.micro_batches > 1) j[micro_batches_key] = trial.micro_batches;
  return j.dump();
}

bool is_over(const Trial& trial) {
  const auto& state = trial.row.state;
  return state == "finished" || state == "failed" || state == "infeasible";
}

std::vector<const Trial*> searched(const std::vector<Trial>& trials) {
  std::vector<const Trial*> search;
  for (const auto& trial : trials)
    if (!trial.confirms()) search.push_back(&trial);
  return search;
}

/// A signal that asks to stop, too early to be answered by saving, is no fault of the trial.
bool was_stopped(int code) {
  return code == static_cast<int>(ExitCode::stopped) || code == 128 + SIGTERM ||
         code == 128 + SIGINT || code == 128 + SIGHUP;
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

bool Trial::asked() const {
  return row.state == "running" && row.message == asked_message;
}

Ledger Ledger::begin(const fs::path& path, Plan plan, Begin how) {
  auto database = tracker::open_for_writing(path);
  std::optional<tracker::SweepRow> row;
  {
    Transaction transaction(database);
    const auto all = tracker::sweeps(database);
    const auto newest = std::find_if(all.begin(), all.end(),
                                     [&](const auto& one) { return one.name == plan.name; });
    if (how == Begin::go_on && newest != all.end()) {
      const auto before = plan_from_json(json::parse(newest->config));
      if (hash_of(before) == hash_of(plan)) {
        plan.threads = before.threads;
        row = *newest;
      } else if (newest->status != "finished") {
        throw Error(ExitCode::usage,
                    {fmt::format("sweep {} ({}) is not finished, and its file says something else "
                                 "now",
                                 printable(newest->name), newest->short_id),
                     "",
                     fmt::format("go on as it began: bcx sweep resume {}; or begin another: --new",
                                 newest->short_id)});
      }
    }
    const auto config = to_json(plan).dump();
    if (row) {
      tracker::update_sweep(database, row->row, "running", config);
      row->status = "running";
      row->config = config;
    } else {
      row = tracker::insert_sweep(database, plan.name, plan.method, plan.pruner.name,
                                  plan.objective, plan.maximize, config);
    }
    transaction.commit();
  }
  return Ledger(std::move(database), std::move(*row));
}

Ledger::Ledger(const fs::path& path, std::string_view what)
    : Ledger(
          [&] {
            tracker::open_for_reading(path);  // says what to do when there is none
            return tracker::open_for_writing(path);
          }(),
          tracker::find_sweep(tracker::open_for_reading(path), what)) {}

Ledger::Ledger(tracker::Database database, tracker::SweepRow sweep)
    : database_(std::move(database)),
      reader_(std::make_unique<tracker::Reader>(database_.path())),
      sweep_(std::move(sweep)),
      plan_(plan_from_json(json::parse(sweep_.config))),
      folder_(reader_->folder() / "sweeps" / tracker::folder_name(sweep_.name, sweep_.short_id)) {
  fs::create_directories(folder_ / "locks");
  if (!fs::exists(folder_ / "experiment.toml"))
    write_atomically(folder_ / "experiment.toml", plan_.experiment);
}

Ledger::~Ledger() {
  if (!reader_) return;  // moved from
  reader_.reset();
  tracker::close_after_writing(std::move(database_));
}

std::vector<Trial> Ledger::trials() const {
  std::vector<Trial> all;
  for (auto& row : tracker::trials(database_, sweep_.row))
    all.push_back(trial_of(std::move(row), plan_));
  return all;
}

std::vector<Course> Ledger::courses(const std::vector<Trial>& trials) const {
  std::vector<Course> all;
  for (const auto& trial : trials) {
    Course course{trial.number(), {}, trial.row.state == "finished", trial.row.state == "pruned"};
    const auto keys =
        trial.row.run.empty() ? std::vector<std::string>() : reader_->metric_keys(trial.row.run);
    if (std::find(keys.begin(), keys.end(), plan_.objective) != keys.end())
      for (const auto& point : reader_->series(trial.row.run, plan_.objective)) {
        const auto epoch = static_cast<std::size_t>(std::max(point.epoch, 0.0));
        if (course.costs.size() <= epoch)
          course.costs.resize(epoch + 1, std::numeric_limits<double>::quiet_NaN());
        course.costs[epoch] = plan_.cost(point.value);
      }
    all.push_back(std::move(course));
  }
  return all;
}

/// Reading them all takes its time with many trials, and few sweeps need them to draw.
std::vector<Course> Ledger::courses_to_draw_by(const std::vector<Trial>& trials) const {
  const auto& pruner = plan_.pruner.name;
  if (pruner == "asha" || pruner == "hyperband" || plan_.epochs > 0) return courses(trials);
  return std::vector<Course>(trials.size());
}

fs::path Ledger::lock_path(std::int64_t number) const {
  return folder_ / "locks" / fmt::format("trial-{}.lock", number);
}

std::optional<tracker::FileLock> Ledger::lock(std::int64_t number) const {
  return tracker::FileLock::take(lock_path(number), no_patience);
}

std::optional<RunShown> Ledger::run_of(const Trial& trial) const {
  if (trial.row.run.empty()) return std::nullopt;
  return reader_->run(trial.row.run);
}

std::optional<double> Ledger::value_of(const RunShown& run) const {
  const auto found = run.metrics.find(plan_.objective);
  if (found == run.metrics.end()) return std::nullopt;
  return plan_.maximize ? found->second.max : found->second.min;
}

void Ledger::put(const Trial& trial) {
  auto row = trial.row;
  row.parameters = parameters_text(trial);
  tracker::put_trial(database_, sweep_.row, row);
}

void Ledger::start(Trial& trial) {
  trial.row.state = "running";
  ++trial.row.attempts;
  trial.row.started = tracker::now_microseconds();
  trial.row.ended.reset();
  trial.row.message.clear();
  put(trial);
}

std::optional<Claim> Ledger::claim(const std::set<std::int64_t>& not_now) {
  Transaction transaction(database_);
  auto all = trials();
  bury_the_dead(all);
  std::optional<Claim> claim;
  const auto take = [&](Trial trial) {
    auto held = lock(trial.number());
    if (!held) return false;  // its last process is not quite gone
    start(trial);
    claim.emplace(std::move(trial), std::move(*held));
    return true;
  };
  for (const auto& trial : all)
    if (is_ours(trial.number()) && (trial.row.state == "waiting" || trial.row.state == "stopped") &&
        !not_now.contains(trial.number()) && take(trial))
      break;
  if (!claim) {
    const auto curves = courses_to_draw_by(all);
    if (has_budget(all, curves))
      if (auto trial = draw(all, curves)) take(std::move(*trial));
  }
  transaction.commit();
  return claim;
}

void Ledger::bury_the_dead(std::vector<Trial>& trials) {
  for (auto& trial : trials) {
    if (!is_ours(trial.number()) || trial.row.state != "running" || trial.asked() ||
        tracker::is_locked(lock_path(trial.number())))
      continue;
    settle(trial, std::nullopt);
    put(trial);
  }
}

void Ledger::settle(std::int64_t number, const std::optional<Ended>& ended) {
  Transaction transaction(database_);
  for (auto& trial : trials()) {
    if (trial.number() != number || is_over(trial)) continue;
    if (trial.asked()) trial.row.message.clear();
    settle(trial, ended);
    put(trial);
  }
  transaction.commit();
}

/// Decides what became of a trial whose process is gone.
void Ledger::settle(Trial& trial, const std::optional<Ended>& ended) {
  auto& row = trial.row;
  const auto run = run_of(trial);
  row.ended = tracker::now_microseconds();
  if (run) row.value = value_of(*run);
  if (row.state != "running") return;  // pruned, by its own word, or taken up elsewhere
  // What the run says is of this process only when it was written since it began.
  const bool said = run && run->ended && row.started && *run->ended >= *row.started;
  const std::string status = said ? run->status : "";
  if (status == "finished" || (ended && ended->code == 0 && run)) {
    const bool measured = run->metrics.contains(plan_.objective);
    row.state = measured ? "finished" : "failed";
    row.message = measured ? "" : "no epoch measured " + plan_.objective;
  } else if (ended && ended->out_of_memory && ended->beside_others) {
    row.state = "waiting";
    row.attempts = 0;
    row.message = "out of memory beside other trials; again when none runs";
  } else if (ended && ended->out_of_memory) {
    run_out_of_memory(trial);
  } else if (status == "stopped" || (ended && was_stopped(ended->code))) {
    row.state = "stopped";
    row.attempts = std::max<std::int64_t>(row.attempts - 1, 0);
  } else if (status == "failed" && run->exit_reason.find("out of memory") != std::string::npos) {
    run_out_of_memory(trial);
  } else if (ended ? ended->code <= 128 && ended->code != static_cast<int>(ExitCode::storage)
                   : status == "failed") {
    row.state = "failed";
    row.message = ended && !ended->message.empty()   ? ended->message
                  : run && !run->exit_reason.empty() ? run->exit_reason
                                                     : "the process ended without a run";
  } else {
    retry(trial, run ? &*run : nullptr,
          !ended              ? "its process died"
          : ended->code > 128 ? fmt::format("killed by signal {}", ended->code - 128)
                              : ended->message);
  }
}

void Ledger::run_out_of_memory(Trial& trial) {
  auto& row = trial.row;
  const auto set = trial.set.find("train.batch_size");
  const auto batch =
      set == trial.set.end() ? plan_.batch_size : std::get<std::int64_t>(set->second);
  const auto parts = trial.micro_batches * 2;
  if (plan_.out_of_memory == "micro_batches" && batch % parts == 0) {
    trial.micro_batches = parts;
    row.state = "waiting";
    row.attempts = 0;
    row.message = fmt::format("out of memory; again in micro-batches of {}", batch / parts);
    tracker::forget_run(database_, sweep_.row, row.number);
    return;
  }
  row.state = "infeasible";
  row.value.reset();
  row.message = trial.micro_batches > 1 ? fmt::format("out of memory, even in micro-batches of {}",
                                                      batch / trial.micro_batches)
                                        : "out of memory";
}

/// A process that died is started again, at most plan.attempts times without getting on.
void Ledger::retry(Trial& trial, const RunShown* run, const std::string& why) {
  auto& row = trial.row;
  if (run) {
    const auto attempts = reader_->attempts(run->id);
    std::int64_t newest = 0;
    for (const auto& checkpoint : reader_->checkpoints(run->id))
      if (checkpoint.kept) newest = std::max(newest, checkpoint.row.cursor.step);
    if (!attempts.empty() && attempts.back().started >= *row.started &&
        newest > attempts.back().first.step)
      row.attempts = 0;
  }
  row.state = row.attempts < plan_.attempts ? "waiting" : "failed";
  row.message = row.state == "failed"
                    ? fmt::format("{} attempts, none of which got on: {}", row.attempts, why)
                    : why;
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

Trial Ledger::add(std::int64_t number, const Point& point, Point set) {
  Trial trial;
  trial.row.number = number;
  trial.row.state = "waiting";
  trial.point = point;
  trial.set = std::move(set);
  put(trial);
  return trial;
}

std::vector<Outcome> Ledger::outcomes(const std::vector<const Trial*>& search) const {
  std::vector<Outcome> list;
  for (const auto* trial : search) {
    if (!is_over(*trial) && trial->row.state != "pruned") continue;
    const double value = trial->row.value.value_or(std::numeric_limits<double>::quiet_NaN());
    list.push_back({trial->point, trial->row.state == "finished" || trial->row.state == "pruned"
                                      ? plan_.cost(value)
                                      : std::numeric_limits<double>::infinity()});
  }
  return list;
}

void Ledger::take_part(std::int64_t part, std::int64_t parts, std::int64_t first) {
  part_ = part;
  parts_ = parts;
  first_ = first;
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
  if (given && !is_over(*given) && given->row.state != "running") {
    start(*given);
    given->row.message = asked_message;
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

bool Ledger::is_running() const {
  const auto all = trials();
  return std::any_of(all.begin(), all.end(), [&](const Trial& trial) {
    if (!is_ours(trial.number())) return false;
    return trial.row.state == "running" ||
           (trial.row.state != "finished" && tracker::is_locked(lock_path(trial.number())));
  });
}

void Ledger::set_status(std::string_view status) {
  Transaction transaction(database_);
  tracker::update_sweep(database_, sweep_.row, status, sweep_.config);
  transaction.commit();
}

}  // namespace bcx::sweep
