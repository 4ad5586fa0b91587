// The writing side of the tracker: one RunWriter per run.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tracker/rows.h"

namespace bcx::tracker {

/// An interned metric name, good for the RunWriter that gave it.
enum class MetricKey : std::uint32_t {};

/// Records one run. Owns the connection, the ring of step metrics and two threads: the writer,
/// which alone touches SQLite, and one for io().
///
///     auto run = RunWriter::create("runs/bcx.db", description);
///     const auto loss = run->key("train.loss");
///     run->metric(loss, step, epoch, value);                  // every step: an enqueue
///     run->epoch_metrics(epoch, step, {{"val.auc", 0.91}});   // durable when it returns
///     run->finish(Status::finished, "");
///
/// Threads: every function may be called from any thread. metric(), event(), io() do not wait for
/// the disk; all others return when their rows are committed and synced (`synchronous=FULL`), after
/// everything that the same thread gave before. What metric() and event() took is committed within
/// about 100 ms: a killed process loses at most that.
///
/// Errors: bcx::Error (storage). A failure on the writer thread (disk full, locked for over 60 s)
/// is final for this writer: it is thrown by the next call that waits, and by check(); metric()
/// then drops silently, so that the training thread can end in order.
///
/// While it lives it holds an flock on `<folder>/run.lock`: that is how readers know that the run
/// is alive. Destroyed without finish(), the run stays "running" in the file and readers say
/// "crashed".
class RunWriter {
 public:
  /// Opens or creates the database (and its folder), inserts the run with all its parameters, makes
  /// the run's folder and takes its lock. Refuses network file systems and files of a newer schema.
  static std::unique_ptr<RunWriter> create(const std::filesystem::path& database,
                                           const RunDescription& description);

  /// Goes on with a run as a new attempt from a checkpoint's cursor. Rows of older attempts beyond
  /// it stay in the file and are hidden by the views. `run_id` in full. Throws when the run is
  /// still alive, or when it has another number of attempts than the caller saw as it chose the
  /// checkpoint: another process went on with it since, and the checkpoint is no longer its newest.
  /// `plugins` and `system` of the description are not compared here: the engine does.
  static std::unique_ptr<RunWriter> resume(
      const std::filesystem::path& database, const std::string& run_id, const Cursor& cursor,
      const std::vector<std::pair<std::string, std::string>>& system = {},
      std::optional<std::int64_t> attempts_seen = std::nullopt);

  ~RunWriter();
  RunWriter(const RunWriter&) = delete;
  RunWriter& operator=(const RunWriter&) = delete;

  const std::string& id() const;        ///< UUIDv7
  const std::string& short_id() const;  ///< its last 8 digits, which are random: what tables show
  const std::string& name() const;
  std::int64_t attempt() const;  ///< 1, 2, ...
  /// Absolute; `<database's folder>/<name>-<short id>`. Exists.
  const std::filesystem::path& folder() const;

  /// Interns a name: letters, digits and `._-#/:@+%`, at most 200 bytes (else Error, usage).
  MetricKey key(std::string_view name);

  /// Enqueues one value: under 1 us, no system call. `epoch` may have a fraction. NaN and infinity
  /// are kept. When the ring (65,536 values) is full the caller wakes the writer and waits for
  /// room: nothing is dropped. A key has one value per step and attempt: the first stays, a second
  /// is dropped and a warning event names the key once.
  void metric(MetricKey key, std::int64_t step, double epoch, double value) noexcept;

  /// The metrics of an epoch, in one durable transaction.
  void epoch_metrics(double epoch, std::int64_t step,
                     const std::vector<std::pair<std::string, double>>& values);

  /// Log lines, interventions, warnings, in order.
  void event(Level level, std::string message);

  /// After the file is in place. Older rows of the same path are marked as not kept.
  void checkpoint(const CheckpointRow& row);
  /// The file was removed by rotation: the row stays, marked as not kept.
  void checkpoint_removed(const std::filesystem::path& path);

  /// Rows are shared between runs by hash; samples in the data set's order.
  void dataset(const DatasetRow& row, std::span<const SampleRow> samples);
  /// Also makes it the run's split.
  void split(const SplitRow& row, std::span<const SplitMember> members);

  /// One evaluation with the float32 logits of all its samples ([n, classes], row-major; `samples`
  /// holds the n ids), in one transaction. Returns its id. Its look number is counted here: 1 for the
  /// first evaluation of this split's part in this database, whichever run made it.
  std::int64_t evaluation(const EvaluationRow& row, std::span<const std::uint64_t> samples,
                          std::span<const float> logits);
  void curve(const CurveRow& row);
  void artifact(const ArtifactRow& row);

  /// Marks the run for good wherever it is shown: "LEAKY", "UNGROUPED". Upper case; idempotent.
  void stamp(const std::string& stamp, const std::string& detail = {});
  /// Adds or replaces a parameter that is known only later (`train.precision` after "auto").
  void param(const Param& param);

  /// Goes back to a cursor within the process (rollback after a NaN): a new attempt begins, as with
  /// resume().
  void rewind(const Cursor& cursor);

  /// Runs `work` on the io thread, in order: files of callbacks. Its exception is thrown by the
  /// next flush() or check(). `work` must not call functions of this writer that wait.
  void io(std::function<void()> work);

  /// Returns when the ring, the events and io() are drained and committed. Throws what went wrong.
  void flush();
  /// Throws what went wrong on the threads so far, if anything. One atomic load otherwise.
  void check();

  /// flush(), then ends the run and lets go of the lock. Nothing can be written afterwards.
  void finish(Status status, const std::string& exit_reason);

 private:
  struct Impl;
  explicit RunWriter(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace bcx::tracker
