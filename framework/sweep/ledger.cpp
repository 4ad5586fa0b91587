#include "sweep/ledger.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

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
constexpr const char* micro_batches_key = "sweep.micro_batches";

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

}  // namespace

bool Trial::asked() const {
  return row.state == "running" && row.message == asked_message;
}

bool Trial::is_over() const {
  return row.state == "finished" || row.state == "failed" || row.state == "infeasible";
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

void Ledger::take_part(std::int64_t part, std::int64_t parts, std::int64_t first) {
  part_ = part;
  parts_ = parts;
  first_ = first;
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
        const auto epoch = static_cast<std::size_t>(std::max(point.epoch - 1.0, 0.0));  // from 1
        if (course.costs.size() <= epoch)
          course.costs.resize(epoch + 1, std::numeric_limits<double>::quiet_NaN());
        course.costs[epoch] = plan_.cost(point.value);
      }
    all.push_back(std::move(course));
  }
  return all;
}

double Ledger::seconds(const Trial& trial) const {
  const auto now = tracker::now_microseconds();
  std::int64_t sum = 0;
  const auto add = [&](std::int64_t from, std::int64_t to) {
    sum += std::max<std::int64_t>(0, to - from);
  };
  if (!trial.row.run.empty()) {
    for (const auto& attempt : reader_->attempts(trial.row.run))
      add(attempt.started, attempt.ended.value_or(now));
  } else if (trial.row.started && trial.row.ended) {
    add(*trial.row.started, *trial.row.ended);
  }
  return static_cast<double>(sum) * 1e-6;
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

Trial Ledger::add(std::int64_t number, const Point& point, Point set) {
  Trial trial;
  trial.row.number = number;
  trial.row.state = "waiting";
  trial.point = point;
  trial.set = std::move(set);
  put(trial);
  return trial;
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
