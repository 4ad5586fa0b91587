#include "sweep_slurm.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <map>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/paths.h"
#include "base/signals.h"
#include "base/text.h"
#include "sweep_controller.h"
#include "tracker/schema.h"
#include "tracker/transfer.h"
#include "weights/process.h"

namespace bcx::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::uintmax_t most_json = 1 << 20;

json read_json(const fs::path& path) {
  try {
    return json::parse(read_text(path, most_json, ExitCode::data));
  } catch (const json::exception&) {
    throw Error(ExitCode::data, {"is damaged", printable(path.string()), "submit the sweep again"});
  }
}

fs::path trial_file(const fs::path& folder, std::int64_t number) {
  return folder / "trials" / fmt::format("trial-{}.db", number);
}

/// Files of trials that ended, by number.
std::map<std::int64_t, fs::path> trial_files(const fs::path& folder) {
  std::map<std::int64_t, fs::path> files;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(folder / "trials", none)) {
    const auto name = entry.path().filename().string();
    long long number = 0;
    int length = 0;
    if (std::sscanf(name.c_str(), "trial-%lld.db%n", &number, &length) == 1 &&
        length == static_cast<int>(name.size()))
      files[number] = entry.path();
  }
  return files;
}

/// Tells one version of a file from the next.
std::string stamp_of(const fs::path& file) {
  std::error_code none;
  return fmt::format("{} {}", fs::last_write_time(file, none).time_since_epoch().count(),
                     fs::file_size(file, none));
}

/// What takes in every version of a trial's file once.
class Inbox {
 public:
  template <typename Take>
  void look(const fs::path& folder, const Take& take) {
    for (const auto& [number, file] : trial_files(folder)) {
      const auto stamp = stamp_of(file);
      if (taken_[number] == stamp) continue;
      try {
        take(number, file);
        taken_[number] = stamp;
      } catch (const Error& error) {
        fmt::print(stderr, "warning: the results of trial {} cannot be taken in: {}\n", number,
                   error.what());
      }
    }
  }
  json to_json() const {
    auto j = json::object();
    for (const auto& [number, stamp] : taken_) j[std::to_string(number)] = stamp;
    return j;
  }
  static Inbox from_json(const json& j) {
    Inbox inbox;
    for (const auto& [number, stamp] : j.items())
      inbox.taken_[std::atoll(number.c_str())] = stamp.get<std::string>();
    return inbox;
  }

 private:
  std::map<std::int64_t, std::string> taken_;
};

/// The node's own disk; the same again when the task comes back to it.
fs::path scratch_folder(const SlurmParts& parts, std::int64_t part) {
  const char* told = std::getenv("SLURM_TMPDIR");
  const fs::path base = told && *told ? fs::path(told) : fs::temp_directory_path();
  return base / fmt::format("bcx-sweep-{}-{}", parts.sweep.substr(parts.sweep.size() - 8), part);
}

SlurmParts read_parts(const fs::path& folder) {
  const auto j = read_json(folder / "task.json");
  return {j.at("sweep"), j.at("parts"), j.at("first"), j.at("jobs"), j.at("device")};
}

/// What was submitted, over what an earlier task may have left on this disk.
void take_plan(const fs::path& database, const fs::path& source, const std::string& id) {
  tracker::merge_sweeps(database, source);
  const auto theirs = tracker::find_sweep(tracker::open_for_reading(source), id);
  auto target = tracker::open_for_writing(database);
  {
    tracker::Transaction transaction(target);
    tracker::update_sweep(target, tracker::find_sweep(target, id).row, "running", theirs.config);
    transaction.commit();
  }
  tracker::close_after_writing(std::move(target));
}

/// No task is left: the sweep is finished, or something is left to do.
void settle_status(sweep::Ledger& ledger) {
  if (ledger.sweep().status != "running") return;
  const auto all = ledger.trials();
  const auto count = ledger.plan().trial_count();
  const bool over = std::all_of(all.begin(), all.end(),
                                [](const auto& trial) { return trial.is_over_or_pruned(); });
  ledger.set_status(over && (count == 0 || std::ssize(all) >= count) ? "finished" : "stopped");
}

/// Made for this user alone, or made before by this user: others may write to the disk, too.
void make_private(const fs::path& folder) {
  if (mkdir(folder.c_str(), 0700) == 0) return;
  struct stat facts {};
  if (errno == EEXIST && lstat(folder.c_str(), &facts) == 0 && S_ISDIR(facts.st_mode) &&
      facts.st_uid == geteuid())
    return;
  throw Error(ExitCode::storage, {"this folder is somebody else's, or cannot be made",
                                  printable(folder.string()), "set SLURM_TMPDIR or TMPDIR"});
}

/// Leaves a trial as it is now for everybody to see.
void publish(const sweep::Ledger& ledger, const fs::path& folder, std::int64_t number) {
  std::vector<std::string> runs;
  for (const auto& trial : ledger.trials())
    if (trial.number() == number && !trial.row.run.empty()) runs.push_back(trial.row.run);
  const auto file = trial_file(folder, number);
  const fs::path fresh = file.string() + fmt::format(".{}.new", getpid());
  fs::remove(fresh);
  tracker::export_sweep(ledger.database(), ledger.sweep().id, runs, fresh);
  fs::rename(fresh, file);
}

}  // namespace

std::optional<SlurmJob> slurm_job(const sweep::Ledger& ledger) {
  const auto file = ledger.folder() / "slurm.json";
  if (!fs::exists(file)) return std::nullopt;
  const auto j = read_json(file);
  return SlurmJob{j.at("job"), j.at("results").get<std::string>()};
}

void write_slurm_job(const sweep::Ledger& ledger, const SlurmJob& job) {
  write_atomically(ledger.folder() / "slurm.json",
                   json{{"job", job.job}, {"results", job.results.string()}}.dump());
}

std::optional<std::int64_t> queued_tasks(const SlurmJob& job) {
  const auto log = fs::temp_directory_path() / fmt::format("bcx-squeue-{}", getpid());
  const std::vector<std::string> command{"squeue", "--noheader", "--array", "--jobs",
                                         job.job,  "--format",   "%T"};
  const int code = weights::run_process(command, log);
  std::optional<std::int64_t> count;
  if (code == 0) {
    const auto text = read_text(log, most_json, ExitCode::other);
    count = std::count(text.begin(), text.end(), '\n');
    if (*count == 0) count.reset();
  }
  std::error_code none;
  fs::remove(log, none);
  return count;
}

void collect_results(const fs::path& database, std::string_view which, Queued queued) {
  sweep::Ledger ledger(database, which);
  const auto job = slurm_job(ledger);
  if (!job) return;
  const auto waiting = queued_tasks(*job);
  if (waiting && queued == Queued::tell)
    fmt::print(stderr, "Slurm job {}: {} task{} waiting or running\n", job->job, *waiting,
               *waiting == 1 ? "" : "s");
  if (job->results.empty()) return;
  if (!fs::exists(job->results)) {
    fmt::print(stderr,
               "warning: {} is gone, and what Slurm job {} left there since the last look\n",
               printable(job->results.string()), job->job);
    return;
  }
  const auto record = ledger.folder() / "taken.json";
  auto inbox = fs::exists(record) ? Inbox::from_json(read_json(record)) : Inbox();
  inbox.look(job->results,
             [&](std::int64_t, const fs::path& file) { tracker::merge(ledger.database(), file); });
  write_atomically(record, inbox.to_json().dump());
  if (!waiting) settle_status(ledger);
  if (waiting && queued == Queued::refuse)
    throw Error(ExitCode::usage,
                {fmt::format("Slurm job {} works at this sweep", job->job), ledger.sweep().name,
                 fmt::format("wait for it (bcx sweep status {}), or stop it: scancel {}",
                             ledger.sweep().short_id, job->job)});
}

void write_parts(const sweep::Ledger& ledger, const SlurmParts& parts, const fs::path& folder) {
  fs::create_directories(folder / "trials");
  const auto file = folder / "sweep.db";
  fs::remove(file);
  tracker::export_sweep(ledger.database(), parts.sweep, {}, file);
  write_atomically(folder / "task.json", json{{"sweep", parts.sweep},
                                              {"parts", parts.parts},
                                              {"first", parts.first},
                                              {"jobs", parts.jobs},
                                              {"device", parts.device}}
                                             .dump());
}

int work_at_part(const fs::path& folder, std::int64_t part) {
  const SignalScope signals;
  const auto parts = read_parts(folder);
  const auto scratch = scratch_folder(parts, part);
  const auto database = scratch / "bcx.db";
  make_private(scratch);
  take_plan(database, folder / "sweep.db", parts.sweep);
  Inbox inbox;
  const auto learn = [&] {
    inbox.look(folder, [&](std::int64_t number, const fs::path& file) {
      if (number % parts.parts == part)
        tracker::merge(database, file);  // this task's own, from before: with its checkpoints
      else
        tracker::merge_sweeps(database, file);  // others': what tpe learns from
    });
  };
  learn();
  bool whole = false;
  {
    sweep::Ledger ledger(database, parts.sweep);
    ledger.take_part(part, parts.parts, parts.first);
    WorkSettings settings;
    settings.jobs = parts.jobs;
    settings.device = parts.device;
    settings.after = [&](std::int64_t number) {
      publish(ledger, folder, number);
      learn();
    };
    whole = SweepController(ledger, settings).run();
  }
  // Everything is in `folder` now; the next task on this node finds room.
  fs::remove_all(scratch);
  return whole ? 0 : static_cast<int>(ExitCode::stopped);
}

}  // namespace bcx::cli
