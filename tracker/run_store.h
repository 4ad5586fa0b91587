// One run's rows as SQL, without threads: what the writer thread calls.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tracker/levels.h"
#include "tracker/reader.h"
#include "tracker/rows.h"
#include "tracker/sqlite.h"

namespace bcx::tracker {

/// One metric value on its way to the file.
struct MetricEntry {
  std::uint32_t name = 0;  ///< index into the writer's list of names
  std::int64_t step = 0;
  double epoch = 0, value = 0;
  std::int64_t time = 0;
};

struct EventEntry {
  Level level = Level::info;
  std::string message;
  std::int64_t time = 0;
};

std::string_view name_of(Status status);
std::string_view name_of(Level level);

/// `densenet201-6f1c09ab`: a run's folder, from its name (what is no letter, digit or `._-` becomes
/// `_`, at most 60 characters) and its short id.
std::string folder_name(const std::string& run_name, const std::string& short_id);
/// Whether a folder's name, read from a file, can be trusted to be one plain component.
bool is_plain_component(std::string_view name);

/// Every function but insert() and open() runs inside the caller's transaction. What it remembers
/// (keys, summaries) is that of the file only as long as no transaction was rolled back.
class RunStore {
 public:
  /// Inserts a new run, in a transaction of its own.
  static RunStore insert(Database database, const RunDescription& description,
                         const std::string& uuid, const std::string& folder);
  /// Finds a run that is there. Throws (usage) when it is not.
  static RunStore open(Database database, const std::string& uuid);

  Database& database() { return database_; }
  const std::string& name() const { return name_; }
  const std::string& folder() const { return folder_; }  ///< as stored: relative
  std::int64_t attempt() const { return attempt_; }

  /// Ends all attempts at the cursor and begins another.
  void begin_attempt(const Cursor& cursor,
                     const std::vector<std::pair<std::string, std::string>>& system);

  /// Returns the names (indices) that had a second value for one step, which was left out.
  std::set<std::uint32_t> metrics(std::span<const MetricEntry> entries,
                                  const std::vector<std::string>& names);
  void event(const EventEntry& event);
  void checkpoint(const CheckpointRow& row);
  void checkpoint_removed(const std::filesystem::path& path);
  void dataset(const DatasetRow& row, std::span<const SampleRow> samples);
  void split(const SplitRow& row, std::span<const SplitMember> members);
  std::int64_t evaluation(const EvaluationRow& row, std::span<const std::uint64_t> samples,
                          std::span<const float> logits);
  void curve(const CurveRow& row);
  void artifact(const ArtifactRow& row);
  void stamp(const std::string& stamp, const std::string& detail);
  void param(const Param& param);
  void finish(Status status, const std::string& exit_reason);
  /// Notes that something was written now.
  void touch();

 private:
  RunStore(Database database, std::int64_t run, std::string name, std::string folder,
           std::int64_t attempt);
  void insert_attempt(const Cursor& cursor,
                      const std::vector<std::pair<std::string, std::string>>& system);
  void insert_evaluation(const EvaluationRow& row, std::int64_t count, std::int64_t classes);
  std::int64_t metric_key(std::uint32_t name, const std::vector<std::string>& names);
  MetricSummary& summary(std::int64_t key);
  void save_summary(std::int64_t key, const MetricSummary& summary);
  void summarise_again(std::int64_t key);
  Levels& levels(std::int64_t key);
  std::string relative(const std::filesystem::path& path) const;

  Database database_;
  std::int64_t run_;
  std::string name_, folder_;
  std::int64_t attempt_;
  std::int64_t first_step_ = 0;     // of this attempt
  std::vector<std::int64_t> keys_;  // name's index → metric_key.id, 0 not yet known
  std::map<std::int64_t, MetricSummary> summaries_;  // metric_key.id →
  std::map<std::int64_t, Levels> levels_;            // metric_key.id →
};

/// The series of one metric without what resumes undid: rows beyond their attempt's end are left
/// out, and of two attempts' rows for one step the later one stands. Steps beyond `after` only.
std::vector<Point> valid_series(const Database& database, std::int64_t run, std::int64_t key,
                                std::int64_t after = std::numeric_limits<std::int64_t>::min());

/// Adds a value that comes after all others.
void add_to(MetricSummary& summary, const Point& point);

}  // namespace bcx::tracker
