// The reading side of the tracker: queries on a read-only connection.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tracker/bucket.h"
#include "tracker/rows.h"

namespace bcx::tracker {

/// A parameter as it was stored. A real that is NaN comes back as NaN.
struct ParamShown {
  ParamValue value;
  bool list = false;
  std::string origin;
};

/// What the writer keeps of each metric of a run, over the valid rows. Times a value was NaN are
/// counted apart; min and max are none when nothing but NaN came.
struct MetricSummary {
  std::int64_t count = 0, nan_count = 0;
  double last = 0;  ///< may be NaN
  std::int64_t last_step = 0;
  double last_epoch = 0;
  std::optional<double> min, max;
  std::int64_t min_step = 0, max_step = 0;
};

struct Stamp {
  std::string name, detail;
};

/// A run as lists show it. Times are microseconds since 1970, UTC.
struct RunShown {
  std::int64_t row = 0;  ///< the tables' key, good for this file only
  std::string id, short_id, name, experiment;
  /// running | finished | stopped | failed | crashed | unknown. "crashed": the file says running,
  /// but nobody holds the run's lock. "unknown": it says so of another machine, whose locks cannot
  /// be seen here.
  std::string status;
  std::string exit_reason;  ///< of a crashed run: its last warning or error, if any
  std::int64_t started = 0;
  std::optional<std::int64_t> ended;  ///< of a crashed run: when its last row was written
  std::int64_t seed = 0, attempts = 0;
  std::string parent, host, notes, command, git_commit, version, config_hash, folder;
  std::int64_t pid = 0;
  std::vector<std::string> tags;
  std::vector<Stamp> stamps;
  std::map<std::string, ParamShown, std::less<>> params;      ///< as asked for
  std::map<std::string, MetricSummary, std::less<>> metrics;  ///< as asked for
};

/// What a list of runs should hold.
struct RunQuery {
  std::string sort;               ///< "" newest first; what Reader::key() takes; "-key" reversed
  std::int64_t limit = 0;         ///< 0: all
  bool all_keys = false;          ///< every parameter and metric
  std::vector<std::string> keys;  ///< else these
  std::string filter = {};        ///< in the language of tracker/filter.h; "" all
};

struct RunList {
  std::vector<RunShown> runs;
  std::int64_t matching = 0;  ///< how many the filter lets through, whatever the limit
};

/// What a word such as "val.auc", "auc", "best(val.auc)" or "learning_rate" means in this file.
struct Key {
  enum class Kind { column, param, metric };
  Kind kind = Kind::column;
  std::string name;      ///< in full
  std::string function;  ///< of a metric: last | best | min | max as written, or empty: last
};

struct Point {
  std::int64_t step = 0;
  double epoch = 0, value = 0;
  std::int64_t time = 0;  ///< microseconds since 1970, UTC
};

struct EventShown {
  std::int64_t time = 0, attempt = 0;
  std::string level, message;
};

struct AttemptShown {
  std::int64_t number = 0, started = 0;
  std::optional<std::int64_t> ended;
  Cursor first;                          ///< where it began
  std::optional<std::int64_t> end_step;  ///< rows beyond it were undone by a resume
  std::string status, exit_reason, host;
  std::int64_t pid = 0;
};

struct CheckpointShown {
  CheckpointRow row;  ///< path relative to the database's folder
  std::int64_t time = 0;
  bool kept = false;
};

struct EvaluationShown {
  std::int64_t id = 0, time = 0, samples = 0, look = 0;
  EvaluationRow row;
};

/// One sample of an evaluation.
struct PredictionShown {
  std::uint64_t sample = 0;
  std::string name, group;
  int target = -1;  ///< -1: the sample is not in the data set's table
  std::vector<float> logits;
  std::vector<std::pair<std::string, std::string>> attributes;  ///< by name
};

/// An image of a run's split.
struct SplitSample {
  std::uint64_t id = 0;
  std::string name, part;
  std::vector<std::pair<std::string, std::string>> attributes;  ///< by name
};

struct SplitShown {
  SplitRow row;
  DatasetRow dataset;
  std::int64_t samples = 0;
  /// part → (images, groups)
  std::vector<std::pair<std::string, std::pair<std::int64_t, std::int64_t>>> parts;
};

/// A tracker opened for reading. Never writes; several at once, beside writers, are fine. One
/// thread at a time. Errors: bcx::Error, storage for the file, usage for a run or key that is not
/// there (with the nearest names).
class Reader {
 public:
  /// Throws (usage) with what to do when there is no such file. A file of a newer schema is read as
  /// far as it goes. A file in a folder that cannot be written is read too.
  explicit Reader(const std::filesystem::path& database);
  ~Reader();
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  const std::filesystem::path& path() const;
  std::filesystem::path folder() const;  ///< what paths in the rows are relative to
  int schema_version() const;

  std::int64_t run_count() const;
  RunList list(const RunQuery& query) const;
  std::vector<RunShown> runs(const RunQuery& query) const { return list(query).runs; }
  /// One run with every parameter and metric.
  RunShown run(std::string_view id) const;

  /// What a person typed → a run's id. In this order: `@last`, `@best:KEY`, an exact id, a name
  /// (the newest of that name), the beginning of an id or of a short id (4 characters or more, and
  /// only one run has it). `same_name`: how many runs bear the name.
  struct Found {
    std::string id;
    std::int64_t same_name = 1;
  };
  Found find(std::string_view what) const;

  /// A column (run_columns.h), parameter or metric in full, or its last part where that is unique;
  /// best(KEY) and the like for a metric.
  Key key(std::string_view word) const;
  std::vector<std::string> metric_keys(std::string_view run_id) const;

  /// Valid rows in the order of steps.
  std::vector<Point> series(std::string_view run_id, std::string_view metric) const;
  /// The same in about `at_most` buckets (a few dozen more at its end; a point each when there are
  /// no more), read from the levels that the writer keeps: a million points in milliseconds, and
  /// every extreme is there. Empty for a key that the run has not.
  std::vector<Bucket> overview(std::string_view run_id, std::string_view metric,
                               std::int64_t at_most) const;
  std::vector<EventShown> events(std::string_view run_id) const;
  std::vector<AttemptShown> attempts(std::string_view run_id) const;
  std::vector<CheckpointShown> checkpoints(std::string_view run_id) const;
  std::vector<PluginRow> plugins(std::string_view run_id) const;
  std::vector<ArtifactRow> artifacts(std::string_view run_id) const;
  std::vector<std::pair<std::string, std::string>> system(std::string_view run_id) const;
  std::optional<SplitShown> split(std::string_view run_id) const;
  /// The images of the run's split, in the data set's order. Empty without one.
  std::vector<SplitSample> split_samples(std::string_view run_id) const;
  std::pair<std::string, std::string> config(std::string_view run_id) const;  ///< source, resolved
  std::vector<EvaluationShown> evaluations(std::string_view run_id) const;
  std::vector<PredictionShown> predictions(std::int64_t evaluation) const;
  std::vector<CurveRow> curves(std::string_view run_id) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// True for metrics that are better when smaller: the last part of the name holds loss, brier, ece,
/// error or nll, or the name begins with time. or memory.
bool lower_is_better(std::string_view metric);

/// Where the tracker is when nobody says: BCX_TRACKER, else `runs/bcx.db` below the working folder.
std::filesystem::path default_database();

}  // namespace bcx::tracker
