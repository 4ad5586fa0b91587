#include "tracker/writer_thread.h"

#include <fmt/format.h>
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>

#include <chrono>

#include "base/error.h"
#include "tracker/host.h"
#include "tracker/schema.h"

namespace bcx::tracker {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t ring_capacity = 1 << 16;
constexpr milliseconds drain_interval(
    50);  // with its commit well within the 100 ms that are promised
constexpr int wal_pages_before_move = 1000;  // SQLite's own default for automatic checkpoints

/// Signals belong to the main thread: helpers start with all of them blocked.
template <typename Function>
std::thread quiet_thread(Function function) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread thread(std::move(function));
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return thread;
}

Error ended() {
  return Error(ExitCode::other, "the run has ended: nothing more can be written");
}

}  // namespace

WriterThread::WriterThread(RunStore store)
    : store_(std::make_unique<RunStore>(std::move(store))), ring_(ring_capacity) {
  sqlite3_wal_hook(
      store_->database().handle(),
      [](void* self, sqlite3*, const char*, int pages) {
        static_cast<WriterThread*>(self)->wal_pages_ = pages;
        return SQLITE_OK;
      },
      this);
  thread_ = quiet_thread([this] { loop(); });
}

WriterThread::~WriterThread() {
  close();
}

std::uint32_t WriterThread::add_name(std::string name) {
  const std::lock_guard guard(mutex_);
  names_.push_back(std::move(name));
  return static_cast<std::uint32_t>(names_.size() - 1);
}

std::vector<std::string> WriterThread::names() {
  const std::lock_guard guard(mutex_);
  return names_;
}

void WriterThread::push(const MetricEntry& entry) noexcept {
  while (accepting_.load(std::memory_order_relaxed)) {
    if (ring_.try_push(entry)) {
      // A quarter of the ring since the last call: time to wake the writer before its turn.
      if ((ring_.pushed() & (ring_capacity / 4 - 1)) == 0) wake_.notify_one();
      return;
    }
    wake_.notify_one();
    std::this_thread::sleep_for(std::chrono::microseconds(50));
  }
}

void WriterThread::add_event(EventEntry event) {
  const std::lock_guard guard(mutex_);
  if (accepting_) events_.push_back(std::move(event));
}

void WriterThread::call(Work work) {
  Call call{std::move(work), nullptr, false};
  std::unique_lock lock(mutex_);
  if (failure_) std::rethrow_exception(failure_);
  if (stopping_) throw ended();
  calls_.push_back(&call);
  wake_.notify_one();
  done_.wait(lock, [&] { return call.done; });
  if (call.error) std::rethrow_exception(call.error);
}

void WriterThread::throw_failure() {
  if (accepting_.load(std::memory_order_relaxed)) return;
  const std::lock_guard guard(mutex_);
  if (failure_) std::rethrow_exception(failure_);
}

void WriterThread::close() {
  {
    const std::lock_guard guard(mutex_);
    stopping_ = true;
    wake_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

void WriterThread::loop() {
  std::vector<EventEntry> events;
  std::deque<Call*> calls;
  for (bool more = true; more;) {
    events.clear();
    calls.clear();
    more = wait_for_work(events, calls);
    if (failure_) {
      discard();
    } else {
      try {
        drain(events);
        move_wal();
      } catch (...) {
        fail(std::current_exception());
      }
    }
    for (Call* call : calls) run(*call);
  }
  accepting_ = false;
  try {
    std::vector<EventEntry> none;
    if (!failure_) drain(none);  // what slipped in meanwhile
  } catch (...) {
    fail(std::current_exception());
  }
  close_connection();
}

bool WriterThread::wait_for_work(std::vector<EventEntry>& events, std::deque<Call*>& calls) {
  std::unique_lock lock(mutex_);
  const auto asked = [this] { return stopping_ || !calls_.empty(); };
  // A plain wake-up, without anything asked, means that the ring is filling: drain it then too.
  if (!asked()) wake_.wait_for(lock, drain_interval);
  events.swap(events_);
  calls.swap(calls_);
  return !stopping_;
}

void WriterThread::pop_all(std::vector<MetricEntry>& entries) {
  // Up to what was begun when we looked: a producer between its two steps is waited for, so that
  // what another thread finished before its call() is never left behind it.
  MetricEntry entry;
  for (const auto end = ring_.pushed(); ring_.popped() < end;)
    if (ring_.try_pop(entry))
      entries.push_back(entry);
    else
      std::this_thread::yield();
}

void WriterThread::drain(std::vector<EventEntry>& events) {
  std::vector<MetricEntry> entries;
  pop_all(entries);
  if (entries.empty() && events.empty()) return;
  set_synchronous(false);
  Transaction transaction(store_->database());
  store_metrics(*store_, entries);
  for (const auto& event : events) store_->event(event);
  store_->touch();
  transaction.commit();
}

void WriterThread::store_metrics(RunStore& store, const std::vector<MetricEntry>& entries) {
  if (entries.empty()) return;
  const auto known = names();
  for (const auto name : store.metrics(entries, known)) {
    if (!warned_.insert(name).second) continue;
    store.event(
        {Level::warning,
         fmt::format("metric {} was given twice for one step: the first value stays", known[name]),
         now_microseconds()});
  }
}

void WriterThread::run(Call& call) {
  if (failure_) return finish(call, failure_);
  try {
    set_synchronous(true);
    Transaction transaction(store_->database());
    call.work(*store_);
    store_->touch();
    transaction.commit();
    finish(call, nullptr);
  } catch (const Error& error) {
    if (error.code() == ExitCode::storage) fail(std::current_exception());
    finish(call, std::current_exception());
  } catch (...) {
    fail(std::current_exception());
    finish(call, std::current_exception());
  }
}

void WriterThread::finish(Call& call, std::exception_ptr error) {
  const std::lock_guard guard(mutex_);
  call.error = std::move(error);
  call.done = true;
  done_.notify_all();
}

void WriterThread::fail(std::exception_ptr error) {
  const std::lock_guard guard(mutex_);
  if (!failure_) failure_ = std::move(error);
  accepting_ = false;
}

void WriterThread::discard() {
  MetricEntry entry;
  while (ring_.try_pop(entry)) {
  }
}

void WriterThread::set_synchronous(bool full) {
  if (full == full_) return;
  store_->database().execute(full ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL");
  full_ = full;
}

void WriterThread::move_wal() {
  if (wal_pages_ < wal_pages_before_move) return;
  checkpoint_wal(store_->database());
  wal_pages_ = 0;
}

void WriterThread::close_connection() {
  auto& database = store_->database();
  sqlite3_wal_hook(database.handle(), nullptr, nullptr);
  close_after_writing(std::move(database));
  store_.reset();
}

IoThread::~IoThread() {
  {
    const std::lock_guard guard(mutex_);
    stopping_ = true;
    wake_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

void IoThread::add(std::function<void()> work) {
  const std::lock_guard guard(mutex_);
  if (!thread_.joinable()) thread_ = quiet_thread([this] { loop(); });
  work_.push_back(std::move(work));
  wake_.notify_one();
}

void IoThread::loop() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return stopping_ || !work_.empty(); });
    if (work_.empty()) return;
    auto work = std::move(work_.front());
    work_.pop_front();
    busy_ = true;
    lock.unlock();
    std::exception_ptr error;
    try {
      work();
    } catch (...) {
      error = std::current_exception();
    }
    lock.lock();
    busy_ = false;
    if (error && !failure_) {
      failure_ = error;
      failed_ = true;
    }
    if (work_.empty()) done_.notify_all();
  }
}

void IoThread::drain() {
  {
    std::unique_lock lock(mutex_);
    done_.wait(lock, [this] { return work_.empty() && !busy_; });
  }
  throw_failure();
}

void IoThread::throw_failure() {
  if (!failed_.load(std::memory_order_relaxed)) return;
  std::exception_ptr failure;
  {
    const std::lock_guard guard(mutex_);
    std::swap(failure, failure_);
    failed_ = false;
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace bcx::tracker
