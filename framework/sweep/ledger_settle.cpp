// The ledger's settling: what became of a trial whose process is gone.
#include <fmt/format.h>
#include <signal.h>

#include <algorithm>

#include "base/error.h"
#include "sweep/ledger.h"
#include "tracker/host.h"
#include "tracker/schema.h"

namespace bcx::sweep {
namespace {

using tracker::RunShown;
using tracker::Transaction;

/// A signal that asks to stop, too early to be answered by saving, is no fault of the trial.
bool was_stopped(int code) {
  return code == static_cast<int>(ExitCode::stopped) || code == 128 + SIGTERM ||
         code == 128 + SIGINT || code == 128 + SIGHUP;
}

}  // namespace

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
    if (trial.number() != number || trial.is_over()) continue;
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

}  // namespace bcx::sweep
