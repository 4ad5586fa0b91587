#include "tracker/run_writer.h"

#include <fmt/format.h>

#include <unordered_map>

#include "base/error.h"
#include "base/hash.h"
#include "base/text.h"
#include "tracker/file_lock.h"
#include "tracker/host.h"
#include "tracker/schema.h"
#include "tracker/writer_thread.h"

namespace bcx::tracker {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

constexpr milliseconds readers_glance(300);  // a reader holds the lock for microseconds

std::string short_id_of(const std::string& uuid) {
  return uuid.substr(uuid.size() - 8);
}

void make_run_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error)
    throw Error(ExitCode::storage,
                {"cannot make the run's folder: " + system_message(error.value()),
                 printable(folder.string()), ""});
}

FileLock take_run_lock(const fs::path& folder, const std::string& what) {
  auto lock = FileLock::take(folder / "run.lock", readers_glance);
  if (!lock)
    throw Error(ExitCode::usage, {fmt::format("{} is still running", printable(what)),
                                  printable((folder / "run.lock").string()),
                                  "stop it first (`bcx show` says its process)"});
  return std::move(*lock);
}

void check_metric_name(std::string_view name) {
  constexpr std::string_view marks = "._-#/:@+%";
  bool good = !name.empty() && name.size() <= 200;
  for (const char c : name) {
    const auto code = static_cast<unsigned char>(c);
    good = good && code < 128 && (std::isalnum(code) || marks.find(c) != marks.npos);
  }
  if (!good)
    throw Error(ExitCode::usage,
                {fmt::format("\"{}\" cannot be a metric's name", printable(clip(name, 60))), "",
                 "letters, digits and ._-#/:@+%, at most 200 of them: \"val.auc\""});
}

}  // namespace

struct RunWriter::Impl {
  Impl(RunStore store, FileLock lock, std::string uuid, fs::path run_folder)
      : id(std::move(uuid)),
        short_id(short_id_of(id)),
        name(store.name()),
        folder(std::move(run_folder)),
        attempt(store.attempt()),
        run_lock(std::move(lock)),
        thread(std::move(store)) {}

  /// Runs `work` in a durable transaction on the writer thread and waits for it.
  template <typename Work>
  void wait_for(Work work) {
    io.throw_failure();
    thread.call(std::move(work));
  }

  const std::string id, short_id, name;
  const fs::path folder;
  std::atomic<std::int64_t> attempt;
  FileLock run_lock;  // let go last: readers call a run without its lock crashed
  WriterThread thread;
  IoThread io;
  std::mutex keys_mutex;
  std::unordered_map<std::string, std::uint32_t> keys;
};

RunWriter::RunWriter(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RunWriter::~RunWriter() = default;

std::unique_ptr<RunWriter> RunWriter::create(const fs::path& database,
                                             const RunDescription& description) {
  if (description.name.empty()) throw Error(ExitCode::usage, "a run needs a name");
  auto opened = open_for_writing(database);
  const auto uuid = uuid_v7();
  const auto relative = folder_name(description.name, short_id_of(uuid));
  const auto folder = opened.path().parent_path() / relative;
  make_run_folder(folder);
  // The lock before the row: a reader must never see a running run without it.
  auto lock = take_run_lock(folder, description.name);
  auto store = RunStore::insert(std::move(opened), description, uuid, relative);
  return std::unique_ptr<RunWriter>(
      new RunWriter(std::make_unique<Impl>(std::move(store), std::move(lock), uuid, folder)));
}

std::unique_ptr<RunWriter> RunWriter::resume(
    const fs::path& database, const std::string& run_id, const Cursor& cursor,
    const std::vector<std::pair<std::string, std::string>>& system,
    std::optional<std::int64_t> attempts_seen) {
  auto store = RunStore::open(open_for_writing(database), run_id);
  const auto folder = store.database().path().parent_path() / store.folder();
  make_run_folder(folder);
  auto lock = take_run_lock(folder, store.name());
  Transaction transaction(store.database());
  store.begin_attempt(cursor, system);
  if (attempts_seen && store.attempt() != *attempts_seen + 1)
    throw Error(ExitCode::usage,
                {"another process has gone on with it since", "run " + printable(store.name()),
                 "see how far it is with `bcx show`"});
  transaction.commit();
  return std::unique_ptr<RunWriter>(
      new RunWriter(std::make_unique<Impl>(std::move(store), std::move(lock), run_id, folder)));
}

const std::string& RunWriter::id() const {
  return impl_->id;
}
const std::string& RunWriter::short_id() const {
  return impl_->short_id;
}
const std::string& RunWriter::name() const {
  return impl_->name;
}
std::int64_t RunWriter::attempt() const {
  return impl_->attempt;
}
const fs::path& RunWriter::folder() const {
  return impl_->folder;
}

MetricKey RunWriter::key(std::string_view name) {
  check_metric_name(name);
  const std::lock_guard guard(impl_->keys_mutex);
  const auto known = impl_->keys.find(std::string(name));
  if (known != impl_->keys.end()) return MetricKey{known->second};
  const auto index = impl_->thread.add_name(std::string(name));
  impl_->keys.emplace(name, index);
  return MetricKey{index};
}

void RunWriter::metric(MetricKey key, std::int64_t step, double epoch, double value) noexcept {
  impl_->thread.push({static_cast<std::uint32_t>(key), step, epoch, value, now_microseconds()});
}

void RunWriter::epoch_metrics(double epoch, std::int64_t step,
                              const std::vector<std::pair<std::string, double>>& values) {
  std::vector<MetricEntry> entries;
  for (const auto& [name, value] : values)
    entries.push_back(
        {static_cast<std::uint32_t>(key(name)), step, epoch, value, now_microseconds()});
  impl_->wait_for(
      [this, &entries](RunStore& store) { impl_->thread.store_metrics(store, entries); });
}

void RunWriter::event(Level level, std::string message) {
  impl_->thread.add_event({level, std::move(message), now_microseconds()});
}

void RunWriter::checkpoint(const CheckpointRow& row) {
  impl_->wait_for([&](RunStore& store) { store.checkpoint(row); });
}

void RunWriter::checkpoint_removed(const fs::path& path) {
  impl_->wait_for([&](RunStore& store) { store.checkpoint_removed(path); });
}

void RunWriter::dataset(const DatasetRow& row, std::span<const SampleRow> samples) {
  impl_->wait_for([&](RunStore& store) { store.dataset(row, samples); });
}

void RunWriter::split(const SplitRow& row, std::span<const SplitMember> members) {
  impl_->wait_for([&](RunStore& store) { store.split(row, members); });
}

std::int64_t RunWriter::evaluation(const EvaluationRow& row, std::span<const std::uint64_t> samples,
                                   std::span<const float> logits) {
  std::int64_t id = 0;
  impl_->wait_for([&](RunStore& store) { id = store.evaluation(row, samples, logits); });
  return id;
}

void RunWriter::curve(const CurveRow& row) {
  impl_->wait_for([&](RunStore& store) { store.curve(row); });
}

void RunWriter::artifact(const ArtifactRow& row) {
  impl_->wait_for([&](RunStore& store) { store.artifact(row); });
}

void RunWriter::stamp(const std::string& stamp, const std::string& detail) {
  impl_->wait_for([&](RunStore& store) { store.stamp(stamp, detail); });
}

void RunWriter::param(const Param& param) {
  impl_->wait_for([&](RunStore& store) { store.param(param); });
}

void RunWriter::rewind(const Cursor& cursor) {
  impl_->wait_for([&](RunStore& store) {
    store.begin_attempt(cursor, {});
    impl_->attempt = store.attempt();
  });
}

void RunWriter::io(std::function<void()> work) {
  impl_->io.add(std::move(work));
}

void RunWriter::flush() {
  impl_->io.drain();
  impl_->wait_for([](RunStore&) {});
}

void RunWriter::check() {
  impl_->io.throw_failure();
  impl_->thread.throw_failure();
}

void RunWriter::finish(Status status, const std::string& exit_reason) {
  // A callback's failed file must not keep the run from being ended: it is thrown afterwards.
  std::exception_ptr io_failure;
  try {
    impl_->io.drain();
  } catch (...) {
    io_failure = std::current_exception();
  }
  impl_->thread.call([&](RunStore& store) { store.finish(status, exit_reason); });
  impl_->thread.close();
  { const FileLock let_go = std::move(impl_->run_lock); }
  if (io_failure) std::rethrow_exception(io_failure);
}

}  // namespace bcx::tracker
