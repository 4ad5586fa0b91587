// The state of a sweep, all of which lies in the tracker: any number of processes may work at it at
// once, and any of them may be killed at any point.
//
//     auto ledger = Ledger::begin(database, plan, Ledger::Begin::go_on);
//     while (auto claim = ledger.claim()) {     // one transaction
//       const auto ended = run_a_process(claim->trial, claim->lock);
//       ledger.settle(claim->trial.number(), ended);
//     }
//
// A trial's states:
//
//     waiting ──claim──► running ──► finished | failed | infeasible
//        ▲                  ├──────► pruned: waits at a rung with its checkpoint ──promotion──►
//        running └──died, stopped───┘
//
// Who works at a running trial holds an flock on its file, which the trial's process inherits: a
// running trial whose file nobody holds has died, and the next claim() anywhere takes it up again.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "sweep/plan.h"
#include "sweep/pruner.h"
#include "sweep/sampler.h"
#include "tracker/file_lock.h"
#include "tracker/reader.h"
#include "tracker/sweep_rows.h"

namespace bcx::sweep {

struct Trial {
  tracker::TrialRow row;
  Point point;  ///< values of the sweep's parameters
  Point set;    ///< all that is set over the experiment: also experiment.seed, train.epochs
  std::int64_t micro_batches = 1;  ///< parts that each batch is cut into since it did not fit

  std::int64_t number() const { return row.number; }
  /// Runs the winner on a fresh seed and with the test part; no part of the search.
  bool confirms() const { return set.contains("evaluate.test"); }
  /// Its epochs were set by hand: not pruned.
  bool extended() const { return set.contains("train.epochs") && !point.contains("train.epochs"); }
  /// Another engine works at it and will tell how it ended: such a row's message.
  static constexpr const char* asked_message = "another engine works at it";
  bool asked() const;
  /// Finished, failed or infeasible.
  bool is_over() const;
  /// No process works at it, unless a pruned one is promoted.
  bool is_over_or_pruned() const { return is_over() || row.state == "pruned"; }
};

struct Claim {
  Trial trial;
  tracker::FileLock lock;
};

/// How a trial's process ended.
struct Ended {
  int code = 0;                ///< exit code; 128 + n when ended by signal n
  bool out_of_memory = false;  ///< it said so, or the kernel killed it for that
  bool beside_others = false;  ///< which needed memory, too: it is to run again, alone
  std::string message = {};    ///< its last line
};

class Ledger {
 public:
  enum class Begin {
    go_on,   ///< with the newest sweep of that name and plan, or begin one
    another  ///< in any case
  };
  /// Begins a sweep, or goes on with the same. Budget, attempts and plugin paths of `plan` hold
  /// from now on; threads stay. Throws (usage) when the newest of that name has another plan and is
  /// not finished.
  static Ledger begin(const std::filesystem::path& database, Plan plan, Begin how);

  /// A sweep that is there: what tracker::find_sweep() takes.
  Ledger(const std::filesystem::path& database, std::string_view what);
  ~Ledger();
  Ledger(Ledger&&) = default;
  Ledger& operator=(Ledger&&) = delete;

  const tracker::SweepRow& sweep() const { return sweep_; }
  const Plan& plan() const { return plan_; }
  const std::filesystem::path& database() const { return database_.path(); }
  /// Logs and locks of the trials, and experiment.toml, which trials set their values over.
  const std::filesystem::path& folder() const { return folder_; }

  std::vector<Trial> trials() const;
  /// The objective after each epoch of the trials' runs, in their order.
  std::vector<Course> courses(const std::vector<Trial>& trials) const;

  /// Seconds that processes worked at the trial, over all its attempts; of one that another engine
  /// measured, from asking to telling. 0: nobody has.
  double seconds(const Trial& trial) const;

  /// From here on this ledger is one of `parts` that cannot see each other's files: it takes up
  /// only trials whose number leaves the remainder `part`, and draws only such. `first`, the same
  /// for all: what no trial's number had reached when they parted. With grid, random and sobol the
  /// parts together draw what one ledger would have drawn; tpe goes by the trials of this file.
  /// Budgets are divided.
  void take_part(std::int64_t part, std::int64_t parts, std::int64_t first);

  /// A trial to work at: one that waits, else one that is promoted, else a new one. None: all are
  /// taken, or the budget is used up. Trials that died are taken up here. Those of `not_now` keep
  /// waiting.
  std::optional<Claim> claim(const std::set<std::int64_t>& not_now = {});
  /// A trial for another engine, without a lock: with the given values, or as claim() chooses. A
  /// point that is there already is given as it is.
  std::optional<Trial> ask(const std::optional<Point>& point);
  /// After the process of a trial ended. Without `ended`: from what its run says.
  void settle(std::int64_t number, const std::optional<Ended>& ended);
  /// The value as another engine measured it; none: infeasible when `message` is empty, else
  /// failed.
  void tell(std::int64_t number, std::optional<double> value, const std::string& message);

  /// Asked by the trial's own process at each epoch's end: whether it ends here. The trial is then
  /// `pruned`.
  bool prune_here(std::int64_t number);

  /// Has trials go on to `epochs` epochs, from their checkpoints. Gives how many there are. Throws
  /// (usage) when one has had as many.
  std::int64_t extend(const std::vector<std::int64_t>& numbers, std::int64_t epochs);
  /// Has `runs` fresh seeds of a point wait, with the test part; those that are there count. Gives
  /// their numbers.
  std::vector<std::int64_t> confirm(const Point& point, std::int64_t runs);

  /// Whether trials run, here or elsewhere.
  bool is_running() const;
  /// running | finished | stopped.
  void set_status(std::string_view status);

 private:
  Ledger(tracker::Database database, tracker::SweepRow sweep);

  std::filesystem::path lock_path(std::int64_t number) const;
  std::optional<tracker::FileLock> lock(std::int64_t number) const;
  bool is_ours(std::int64_t number) const { return number % parts_ == part_; }
  Trial add(std::int64_t number, const Point& point, Point set);
  void start(Trial& trial);
  void put(const Trial& trial);
  std::optional<tracker::RunShown> run_of(const Trial& trial) const;
  std::optional<double> value_of(const tracker::RunShown& run) const;

  // ledger_settle.cpp
  void bury_the_dead(std::vector<Trial>& trials);
  void settle(Trial& trial, const std::optional<Ended>& ended);
  void run_out_of_memory(Trial& trial);
  void retry(Trial& trial, const tracker::RunShown* run, const std::string& why);

  // ledger_draw.cpp
  std::vector<Course> courses_to_draw_by(const std::vector<Trial>& trials) const;
  bool has_budget(const std::vector<Trial>& trials, const std::vector<Course>& courses) const;
  std::optional<Trial> draw(const std::vector<Trial>& trials, const std::vector<Course>& courses);
  std::vector<Outcome> outcomes(const std::vector<const Trial*>& search) const;
  std::optional<Point> next_point(const std::vector<const Trial*>& search) const;
  std::optional<Trial> draw_part(const std::vector<const Trial*>& search);
  std::optional<Point> next_point_of_part(const std::vector<const Trial*>& search,
                                          std::int64_t own) const;

  std::int64_t part_ = 0, parts_ = 1, first_ = 0;
  tracker::Database database_;
  std::unique_ptr<tracker::Reader> reader_;
  tracker::SweepRow sweep_;
  Plan plan_;
  std::filesystem::path folder_;
};

}  // namespace bcx::sweep
