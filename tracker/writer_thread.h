// The two threads behind a RunWriter.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "tracker/ring.h"
#include "tracker/run_store.h"

namespace bcx::tracker {

/// Owns the connection and drains what the training threads give: every 50 ms, or at once
/// when somebody waits. Metrics and events go in one transaction with `synchronous=NORMAL`, each
/// call() in one of its own with FULL, after everything given before it.
///
/// A failed transaction is final: what waits gets the error, so does every later call(), and push()
/// drops. An error of the caller's making (code other than storage) goes to that caller alone.
class WriterThread {
 public:
  using Work = std::function<void(RunStore&)>;

  explicit WriterThread(RunStore store);
  /// Commits what is there and closes the connection.
  ~WriterThread();

  std::uint32_t add_name(std::string name);
  void push(const MetricEntry& entry) noexcept;
  void add_event(EventEntry event);
  /// Runs `work` in a durable transaction; returns when it is committed and synced. Not to be
  /// called from `work`.
  void call(Work work);
  /// For `work` that writes metrics: inserts them and warns of repeated ones.
  void store_metrics(RunStore& store, const std::vector<MetricEntry>& entries);
  void throw_failure();
  /// Ends the thread and closes the connection. Later calls throw; push() drops.
  void close();

 private:
  struct Call {
    Work work;
    std::exception_ptr error;
    bool done = false;
  };

  void loop();
  bool wait_for_work(std::vector<EventEntry>& events, std::deque<Call*>& calls);
  void drain(std::vector<EventEntry>& events);
  void run(Call& call);
  void finish(Call& call, std::exception_ptr error);
  void fail(std::exception_ptr error);
  void discard();
  void pop_all(std::vector<MetricEntry>& entries);
  void set_synchronous(bool full);
  void move_wal();
  void close_connection();
  std::vector<std::string> names();

  std::unique_ptr<RunStore> store_;  // the writer thread's alone
  bool full_ = true;                 // what `synchronous` is set to
  std::set<std::uint32_t> warned_;   // names whose repetition was told
  int wal_pages_ = 0;

  Ring<MetricEntry> ring_;
  std::atomic<bool> accepting_{true};
  std::mutex mutex_;
  std::condition_variable wake_, done_;
  bool stopping_ = false;
  std::vector<EventEntry> events_;
  std::deque<Call*> calls_;
  std::vector<std::string> names_;
  std::exception_ptr failure_;
  std::thread thread_;
};

/// Runs functions in order on a thread of its own, started at the first one.
class IoThread {
 public:
  ~IoThread();  ///< after all work is done
  void add(std::function<void()> work);
  /// Waits until all work is done; throws the first failure, once.
  void drain();
  void throw_failure();

 private:
  void loop();

  std::mutex mutex_;
  std::condition_variable wake_, done_;
  std::deque<std::function<void()>> work_;
  bool busy_ = false, stopping_ = false;
  std::atomic<bool> failed_{false};
  std::exception_ptr failure_;
  std::thread thread_;
};

}  // namespace bcx::tracker
