// `bcx bench tracker`: the promises of docs/tracker.md, as figures.

#include <fmt/format.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <random>
#include <thread>

#include "base/error.h"
#include "bench.h"
#include "tracker/host.h"
#include "tracker/plot.h"
#include "tracker/reader.h"
#include "tracker/run_writer.h"
#include "tracker/schema.h"

namespace bcx::cli {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using tracker::Reader;
using tracker::RunWriter;

constexpr int repetitions = 21;

double milliseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

tracker::RunDescription described(std::string name) {
  tracker::RunDescription run;
  run.name = std::move(name);
  run.params = {{"optimizer.learning_rate", 1e-4, false, "default"}};
  return run;
}

/// Batches that fit the ring, the writer thread at rest before each: what a training thread sees.
void cost_of_a_metric(const fs::path& folder, const TakeFigure& take) {
  constexpr int batch = 16'000;
  const auto run = RunWriter::create(folder / "enqueue.db", described("enqueue"));
  const auto key = run->key("train.loss");
  std::vector<double> nanoseconds;
  std::int64_t step = 0;
  for (int i = 0; i < repetitions; ++i) {
    run->flush();
    const auto start = Clock::now();
    for (int n = 0; n < batch; ++n) run->metric(key, ++step, 0.5, 0.25);
    nanoseconds.push_back(milliseconds_since(start) * 1e6 / batch);
  }
  run->finish(tracker::Status::finished, "");
  take(median_of("a metric on the training thread", nanoseconds, "ns", 1000));
}

/// A million points of one series, all of them committed, and then drawn.
void a_million_points(const fs::path& folder, const TakeFigure& take) {
  constexpr int points = 1'000'000;
  const auto path = folder / "million.db";
  std::string id;
  {
    const auto run = RunWriter::create(path, described("million"));
    id = run->id();
    const auto key = run->key("train.loss");
    const auto start = Clock::now();
    for (int step = 1; step <= points; ++step)
      run->metric(key, step, step / 1e4, 1.0 / step + (step % 7) * 0.01);
    run->flush();
    take({"points stored",
          points / milliseconds_since(start) * 1e3,
          "points/s",
          {},
          "one series of a million"});
    run->finish(tracker::Status::finished, "");
  }
  std::vector<double> work;
  for (int i = 0; i < repetitions; ++i) {
    const Reader reader(path);
    const auto start = Clock::now();
    const auto series = tracker::extremes(reader.overview(id, "train.loss", 1000));
    const auto text = tracker::plot({&series, 1}, "step", {.width = 120, .height = 30});
    work.push_back(milliseconds_since(start));
    if (text.empty()) throw Error(ExitCode::other, "nothing was drawn");
  }
  take(median_of("curve of a million points, work", work, "ms", 5));
}

/// What a child tells before it is killed, in memory that both see.
struct Told {
  static constexpr std::int64_t most = 1 << 20;
  std::atomic<std::int64_t> steps{0}, epochs{0};
  std::atomic<std::int64_t> pushed_at[most]{};  ///< microseconds, by step
};

/// A step metric about every 100 us and an epoch row every 500 steps, until it is killed.
[[noreturn]] void write_until_killed(const fs::path& path, Told& told) {
  const auto run = RunWriter::create(path, described("victim"));
  const auto key = run->key("train.loss");
  for (std::int64_t step = 1; step < Told::most; ++step) {
    told.pushed_at[step] = tracker::now_microseconds();
    run->metric(key, step, 0, 0.5);
    told.steps = step;
    if (step % 500 == 0) {
      run->epoch_metrics(static_cast<double>(step / 500), step, {{"val.auc", 0.5}});
      told.epochs = step / 500;
    }
    std::this_thread::sleep_for(std::chrono::microseconds(50));
  }
  _exit(0);
}

template <typename Body>
pid_t start_child(Body body) {
  const pid_t child = fork();
  if (child != 0) return child;
  try {
    body();
    _exit(0);
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
  }
  _exit(1);
}

void lost_when_killed(const fs::path& folder, const TakeFigure& take) {
  constexpr int kills = 20;
  std::mt19937 dice(std::random_device{}());
  double oldest = 0;
  std::int64_t epochs_lost = 0, most_steps = 0;
  for (int i = 0; i < kills; ++i) {
    void* memory =
        mmap(nullptr, sizeof(Told), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw Error(ExitCode::device, "no memory to share with a child");
    auto& told = *new (memory) Told;
    const auto path = folder / fmt::format("killed-{}.db", i);
    const pid_t child = start_child([&] { write_until_killed(path, told); });
    while (told.epochs == 0 && waitpid(child, nullptr, WNOHANG) == 0)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    std::this_thread::sleep_for(std::chrono::microseconds(dice() % 400'000));
    kill(child, SIGKILL);
    const auto at = tracker::now_microseconds();
    waitpid(child, nullptr, 0);
    const Reader reader(path);
    const auto run = reader.run(reader.find("@last").id);
    const auto stored = run.metrics.contains("train.loss") ? run.metrics.at("train.loss").count : 0;
    const auto epochs = run.metrics.contains("val.auc") ? run.metrics.at("val.auc").count : 0;
    const std::int64_t lost = told.steps - stored;
    most_steps = std::max(most_steps, lost);
    if (lost > 0)
      oldest = std::max(oldest, static_cast<double>(at - told.pushed_at[stored + 1]) / 1e3);
    epochs_lost += std::max<std::int64_t>(0, told.epochs - epochs);
    munmap(memory, sizeof(Told));
  }
  take({"killed: age of the oldest step row lost", oldest, "ms", 100,
        fmt::format("{} kills, at most {} rows", kills, most_steps)});
  take({"killed: epoch rows lost", static_cast<double>(epochs_lost), "rows", 0,
        fmt::format("{} kills", kills)});
}

void writers_at_once(const fs::path& folder, const TakeFigure& take) {
  constexpr int writers = 64;
  constexpr std::int64_t steps = 1000, epochs = 5;
  const auto path = folder / "writers.db";
  const auto start = Clock::now();
  std::vector<pid_t> children;
  for (int i = 0; i < writers; ++i)
    children.push_back(start_child([&] {
      const auto run = RunWriter::create(path, described(fmt::format("writer-{}", i)));
      const auto key = run->key("train.loss");
      for (std::int64_t epoch = 1; epoch <= epochs; ++epoch) {
        for (std::int64_t n = 1; n <= steps; ++n)
          run->metric(key, (epoch - 1) * steps + n, static_cast<double>(epoch), 0.5);
        run->epoch_metrics(static_cast<double>(epoch), epoch * steps, {{"val.auc", 0.5}});
      }
      run->finish(tracker::Status::finished, "");
    }));
  int failed = 0;
  for (const pid_t child : children) {
    int status = 0;
    waitpid(child, &status, 0);
    failed += status != 0;
  }
  const double elapsed = milliseconds_since(start);
  std::int64_t rows = 0;
  tracker::RunQuery all;
  all.all_keys = true;
  for (const auto& run : Reader(path).runs(all))
    for (const auto& [key, summary] : run.metrics) rows += summary.count;
  const auto how = fmt::format("{} processes, {} step and {} epoch rows each, {:.1f} s", writers,
                               steps * epochs, epochs, elapsed / 1e3);
  take({"writers at once: failed", static_cast<double>(failed), "processes", 0, how});
  take({"writers at once: rows lost", static_cast<double>(writers * (steps + 1) * epochs - rows),
        "rows", 0, how});
}

}  // namespace

void fill_tracker(const fs::path& path, std::int64_t runs) {
  auto database = tracker::open_for_writing(path);
  tracker::Transaction transaction(database);
  database.execute(fmt::format(
      "CREATE TEMP TABLE n AS WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i+1 FROM n WHERE "
      "i<{}) SELECT i FROM n;",
      std::max<std::int64_t>(20, runs) - 1));
  database.execute(fmt::format("CREATE TEMP TABLE r AS SELECT i FROM n WHERE i < {};", runs));
  database.execute(R"sql(
INSERT INTO run (id, uuid, name, experiment, status, started, updated, ended, exit_reason, attempt,
  seed, notes, command, git_commit, version, config_source, config_resolved, config_hash, folder)
SELECT i+1, printf('019a0000-0000-7000-8000-0000%08x', i), printf('run-%d', i), 'bench', 'finished',
  1795000000000000 + i * 1000000, 1795000060000000 + i * 1000000, 1795000060000000 + i * 1000000,
  '', 1, i % 5, '', 'bcx run', '', '0', printf('%.3000c', 'x'), printf('%.3000c', 'x'), '',
  printf('run-%d', i) FROM r;
INSERT INTO attempt (run, number, started, status, exit_reason, host, boot_id, pid, start_ticks,
  first_epoch, first_samples, first_step)
SELECT i+1, 1, 1795000000000000 + i * 1000000, 'finished', '', 'host', 'boot', 1, 0, 0, 0, 0 FROM r;
INSERT INTO param (run, key, type, value, origin)
SELECT r.i+1, printf('group%d.key%d', k.i % 5, k.i), 'float', (r.i * 31 + k.i) % 97 / 7.0, 'default'
FROM r, n k WHERE k.i < 20;
INSERT INTO metric_key (name, lower_is_better)
SELECT CASE i WHEN 0 THEN 'val.auc' ELSE printf('val.figure%d', i) END, 0 FROM n WHERE i < 10;
INSERT INTO metric_summary (run, key, count, nan_count, last, last_step, last_epoch, min, min_step,
  max, max_step)
SELECT r.i+1, k.id, 3, 0, (r.i * 7919 + k.id) % 10007 / 10007.0, 30, 3, 0, 10, 1, 20
FROM r, metric_key k;
DROP TABLE n;
DROP TABLE r;)sql");
  transaction.commit();
  close_after_writing(std::move(database));
}

namespace {

void take_process(const TakeFigure& take, const std::string& what,
                  const std::vector<std::string>& arguments, double target) {
  cost_of_bcx(arguments);  // warms the page cache
  std::vector<double> elapsed, processor;
  for (int i = 0; i < repetitions; ++i) {
    const auto cost = cost_of_bcx(arguments);
    elapsed.push_back(cost.elapsed_ms);
    processor.push_back(cost.processor_ms);
  }
  take(median_of(what, elapsed, "ms", target));
  take(median_of(what + ", processor time", processor, "ms"));
}

void processes(const fs::path& folder, const TakeFigure& take) {
  const auto path = (folder / "runs.db").string();
  fill_tracker(path, 10'000);
  take_process(take, "bcx --version", {"--version"}, 20);
  take_process(take, "bcx runs over 10,000 runs, filtered and sorted",
               {"runs", "val.auc > 0.5 and group1.key6 < 10", "--sort", "val.auc", "--limit", "20",
                "--tracker", path},
               20);
  take_process(take, "bcx curve of a million points",
               {"curve", "million", "train.loss", "--tracker", (folder / "million.db").string()},
               20);
}

}  // namespace

void bench_tracker(const BenchOptions&, const fs::path& folder, const TakeFigure& take) {
  cost_of_a_metric(folder, take);
  a_million_points(folder, take);
  lost_when_killed(folder, take);
  writers_at_once(folder, take);
  processes(folder, take);
}

}  // namespace bcx::cli
