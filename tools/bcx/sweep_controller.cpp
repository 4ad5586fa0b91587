#include "sweep_controller.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "base/paths.h"
#include "base/signals.h"
#include "base/table.h"
#include "base/text.h"
#include "sweep_text.h"

namespace bcx::cli {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

// How often children are looked at, and a sweep at which only others work.
constexpr std::chrono::milliseconds glance(10), patience(300);

/// The GPUs that trials are dealt to in turn; empty where there is one at most.
std::vector<std::string> visible_devices() {
  std::vector<std::string> all;
  if (const char* said = std::getenv("CUDA_VISIBLE_DEVICES")) {
    for (auto& one : split(said, ','))
      if (!one.empty()) all.push_back(std::move(one));
  } else {
    std::error_code none;
    std::int64_t count = 0;
    for (const auto& one : fs::directory_iterator("/proc/driver/nvidia/gpus", none)) {
      static_cast<void>(one);
      all.push_back(std::to_string(count++));
    }
  }
  if (all.size() < 2) all.clear();
  return all;
}

}  // namespace

SweepController::SweepController(sweep::Ledger& ledger, WorkSettings settings)
    : ledger_(ledger),
      settings_(std::move(settings)),
      slots_(static_cast<std::size_t>(settings_.jobs)),
      devices_(visible_devices()) {
  if (settings_.program.empty()) settings_.program = executable_path().string();
}

bool SweepController::run() {
  bool stopping = false;
  for (;;) {
    if (stop_requested() && !stopping) {
      stopping = true;
      if (!settings_.quiet) fmt::print(stderr, "stopping; the running trials save\n");
      for (auto& slot : slots_)
        if (slot) slot->stop();
    }
    const bool collected = collect();
    const bool begun = !stopping && fill();
    if (is_working()) {
      if (!collected && !begun) std::this_thread::sleep_for(glance);
      continue;
    }
    if (stopping) return false;
    if (begun || collected) continue;
    if (!ledger_.is_running()) return true;
    std::this_thread::sleep_for(patience);  // others work at the last trials, and may die
  }
}

bool SweepController::is_working() const {
  return std::any_of(slots_.begin(), slots_.end(),
                     [](const auto& slot) { return slot.has_value(); });
}

/// Gives every free slot a trial. True when one began. A trial that needs all the memory begins
/// when nothing runs, and nothing begins beside it.
bool SweepController::fill() {
  if (Clock::now() < next_claim_) return false;
  bool any = false;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (std::any_of(slots_.begin(), slots_.end(), [&](const auto& slot) {
          return slot && alone_.contains(slot->trial().number());
        }))
      break;
    if (slots_[i]) continue;
    auto claim = ledger_.claim(is_working() ? alone_ : std::set<std::int64_t>());
    if (!claim) {
      next_claim_ = Clock::now() + patience;
      break;
    }
    const auto& trial = claim->trial;
    if (!settings_.quiet)
      fmt::print(stderr, "trial {:>3} {:<8} {}\n", trial.number(),
                 trial.row.run.empty() ? "begins" : "goes on", short_text(trial.set));
    SweepWorker::Settings settings{settings_.program, settings_.device,
                                   std::max<std::int64_t>(ledger_.plan().threads, 1),
                                   devices_.empty() ? "" : devices_[i % devices_.size()]};
    slots_[i].emplace(ledger_, std::move(*claim), settings);
    any = true;
  }
  return any;
}

/// Settles what ended. The lock is let go of after that, so that nobody takes the trial up before.
bool SweepController::collect() {
  bool any = false;
  for (auto& slot : slots_) {
    auto ended = slot ? slot->ended() : std::nullopt;
    if (!ended) continue;
    const auto number = slot->trial().number();
    ended->beside_others = std::any_of(slots_.begin(), slots_.end(),
                                       [&](const auto& other) { return other && &other != &slot; });
    if (ended->out_of_memory && ended->beside_others) alone_.insert(number);
    ledger_.settle(number, *ended);
    slot.reset();
    next_claim_ = {};
    tell(number);
    if (settings_.after) settings_.after(number);
    any = true;
  }
  return any;
}

void SweepController::tell(std::int64_t number) {
  const auto all = ledger_.trials();
  const auto found = std::find_if(all.begin(), all.end(),
                                  [&](const auto& trial) { return trial.number() == number; });
  if (found == all.end()) return;
  const auto& row = found->row;
  if (found->is_over_or_pruned()) {
    trial_seconds_ += ledger_.seconds(*found);
    ++ended_;
  }
  if (settings_.quiet && row.state != "failed") return;
  std::string text = fmt::format("trial {:>3} {:<8}", number, row.state);
  if (row.value && (row.state == "finished" || row.state == "pruned"))
    text += fmt::format(" {} {}", ledger_.plan().objective, objective_text(*row.value));
  if (!row.message.empty()) text += " " + row.message;
  if (row.state == "finished")
    text += fmt::format(" in {}", human_duration(ledger_.seconds(*found)));
  if (found->is_over_or_pruned() && !found->confirms()) text += time_left(all);
  fmt::print(stderr, "{}\n", text);
}

/// `; 5 of 16 done, about 3 min left`.
std::string SweepController::time_left(const std::vector<sweep::Trial>& trials) {
  std::int64_t done = 0;
  for (const auto& trial : trials)
    if (!trial.confirms() && trial.is_over_or_pruned()) ++done;
  const auto all = ledger_.plan().trial_count();
  if (all <= 0 || done >= all) return fmt::format("; {} done", done);
  const double mean = trial_seconds_ / static_cast<double>(std::max<std::int64_t>(ended_, 1));
  const auto left = static_cast<double>(all - done);
  const auto jobs = std::min(static_cast<double>(settings_.jobs), left);
  return fmt::format("; {} of {} done, about {} left", done, all,
                     human_duration(mean * left / jobs));
}

void print_plan(const sweep::Plan& plan, const std::vector<std::string>& warnings,
                std::int64_t jobs) {
  Table table({{"parameter", Align::left, 1}, {"values", Align::left, 1}});
  for (const auto& axis : plan.space.axes) table.add({axis.key, sweep::text_of(axis)});
  fmt::print(stderr, "{}", table.text(terminal_width()));
  const auto count = plan.trial_count();
  std::string text = fmt::format("sweep {}: {}", plan.name, plan.method);
  if (plan.pruner.name != "none") text += " with " + plan.pruner.name;
  text += count > 0 ? fmt::format(", {} trial{}", count, count == 1 ? "" : "s")
                    : std::string(", trials until the budget ends");
  if (plan.seeds > 1) text += fmt::format(" ({} seeds of each point)", plan.seeds);
  text += fmt::format(" of {} epochs, by {} {}", plan.epochs_per_trial,
                      plan.maximize ? "highest" : "lowest", plan.objective);
  if (plan.seconds > 0) text += fmt::format(", at most {}", human_duration(plan.seconds));
  if (plan.epochs > 0) text += fmt::format(", at most {} epochs together", plan.epochs);
  text += jobs > 0 ? fmt::format("; {} at a time", jobs) : "; each";
  text += fmt::format(" with {} thread{}", plan.threads, plan.threads == 1 ? "" : "s");
  fmt::print(stderr, "{}\n", text);
  for (const auto& warning : warnings) fmt::print(stderr, "warning: {}\n", warning);
}

}  // namespace bcx::cli
