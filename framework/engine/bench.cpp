#include "engine/bench.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <torch/types.h>

#include <chrono>
#include <functional>
#include <numeric>

#include "base/signals.h"
#include "base/timing.h"
#include "engine/operator_count.h"
#include "engine/roofline.h"
#include "engine/training_setup.h"
#include "train/device.h"
#include "train/forward.h"

namespace bcx::engine {
namespace {

using Clock = std::chrono::steady_clock;

/// Pictures of noise, half of them of each class, all of them in the training part.
PreparedData noise(const config::Experiment& e, std::int64_t count) {
  const auto size = e.data.image_size;
  std::vector<std::uint8_t> pixels(static_cast<std::size_t>(count * size * size * 3));
  std::uint64_t state = 1;
  for (auto& pixel : pixels) {
    state = state * 6364136223846793005u + 1442695040888963407u;  // Knuth's MMIX generator
    pixel = static_cast<std::uint8_t>(state >> 56);
  }
  PreparedData data;
  data.decoded.pixels = data::PixelStore(std::move(pixels), count, size);
  data.decoded.table.classes = {"a", "b"};
  for (std::int64_t i = 0; i < count; ++i) {
    data::Sample sample;
    sample.id = static_cast<std::uint64_t>(i);
    sample.label = static_cast<int>(i % 2);
    data.decoded.table.samples.push_back(sample);
  }
  data.split.parts.assign(static_cast<std::size_t>(count), data::Part::train);
  return data;
}

/// What the process has used so far.
struct Usage {
  double processor = 0;  ///< seconds, of all threads
  double waits = 0;      ///< times that a thread gave up its core of its own accord
  static Usage now() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& t) {
      return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
    };
    return {seconds(usage.ru_utime) + seconds(usage.ru_stime), static_cast<double>(usage.ru_nvcsw)};
  }
};

/// Times what happens between start() and lap(), and from lap to lap.
class Stopwatch {
 public:
  Stopwatch(at::Device device, int threads) : device_(device), threads_(threads) { start(); }

  void start() {
    usage_ = Usage::now();
    begun_ = Clock::now();
  }
  void lap() {
    throw_if_stopped("measuring");
    train::synchronize(device_);
    const double elapsed = seconds_since(begun_);
    const auto usage = Usage::now();
    seconds_.push_back(elapsed);
    processor_.push_back(usage.processor - usage_.processor);
    idle_.push_back(std::max(0.0, 1.0 - processor_.back() / (elapsed * threads_)));
    waits_.push_back(usage.waits - usage_.waits);
    start();
  }
  void forget() { *this = Stopwatch(device_, threads_); }

  std::vector<Measured> results(const std::string& step, std::int64_t images) const {
    std::vector<double> milliseconds, rates, processor;
    for (const double s : seconds_) milliseconds.push_back(s * 1e3);
    for (const double s : seconds_) rates.push_back(static_cast<double>(images) / s);
    for (const double s : processor_) processor.push_back(s * 1e3);
    return {{step, "ms", milliseconds, false},
            {"images", "images/s", rates, true},
            {"processor time of " + step, "ms", processor, false},
            {"cores idle during " + step, "share", idle_, false},
            {"waits during " + step, "switches", waits_, false}};
  }
  const std::vector<double>& seconds() const { return seconds_; }

 private:
  at::Device device_;
  int threads_;
  Usage usage_;
  Clock::time_point begun_;
  std::vector<double> seconds_, processor_, idle_, waits_;
};

std::int64_t batch_size(const BenchRequest& request) {
  const auto& e = request.experiment;
  return request.training || e.evaluate.batch_size == 0 ? e.train.batch_size
                                                        : e.evaluate.batch_size;
}

/// Steps or batches of the same images, again and again.
class Work {
 public:
  Work(const BenchRequest& request, TrainingSetup& setup)
      : training_(request.training), count_(batch_size(request)), setup_(setup) {}

  /// Calls `done` after each.
  void run(std::int64_t repetitions, const std::function<void()>& done) {
    training_ ? train(repetitions, done) : infer(repetitions, done);
  }

 private:
  void train(std::int64_t repetitions, const std::function<void()>& done) {
    std::vector<std::int64_t> indexes(static_cast<std::size_t>(count_));
    std::iota(indexes.begin(), indexes.end(), 0);
    const std::vector<std::int64_t> times(indexes.size(), 0);
    for (std::int64_t i = 0; i < repetitions; ++i) {
      setup_.step.run(1, count_,
                      [&](std::int64_t) { return setup_.input.training(indexes, times, 0); },
                      {0, steps_++});
      done();
    }
  }
  void infer(std::int64_t repetitions, const std::function<void()>& done) {
    std::vector<std::int64_t> indexes;
    for (std::int64_t i = 0; i < repetitions * count_; ++i) indexes.push_back(i % count_);
    const auto& classifier = setup_.model.classifier;
    train::forward_all(
        *classifier.object, classifier.site, setup_.input, indexes, setup_.step.context(),
        {.precision = setup_.step.settings().precision, .batch_size = count_, .views = 1},
        [&](std::int64_t, std::int64_t) { done(); });
  }

  bool training_;
  std::int64_t count_, steps_ = 0;
  TrainingSetup& setup_;
};

void choose_precision(TrainingSetup& setup, const config::Experiment& e) {
  if (e.train.precision == "auto")
    setup.choose_precision(e);
  else
    setup.step.set_precision(train::precision_named(e.train.precision));
}

/// Of the last of three: where weights are kept between batches, the first makes them.
std::int64_t operators_called(Work& work) {
  const OperatorCount counted;
  std::int64_t before = 0, latest = 0;
  work.run(3, [&] {
    latest = counted.count() - before;
    before = counted.count();
  });
  return latest;
}

}  // namespace

std::vector<Measured> bench(const BenchRequest& request) {
  const auto& e = request.experiment;
  const int threads =
      train::apply_process_settings({static_cast<int>(e.train.threads), e.train.deterministic});
  const auto device = train::resolve_device(e.train.device);
  const auto count = batch_size(request);
  const auto data = noise(e, std::max<std::int64_t>(2, count));
  TrainingSetup setup(
      {.experiment = e, .catalog = request.catalog, .command = {}, .git_commit = {}, .version = {}},
      data, device);
  choose_precision(setup, e);
  const auto precision = setup.step.settings().precision;
  Stopwatch watch(device, threads);
  Work work(request, setup);
  double first = 0;
  std::int64_t done = 0;
  // Steps that are replayed are what is timed, not how they came to be.
  const bool recorded = request.training && setup.step.recorder().in_use();
  const auto warm_up = recorded ? std::max(request.warm_up, train::StepRecorder::warm_up_steps + 2)
                                : request.warm_up;
  work.run(warm_up + request.steps, [&] {
    watch.lap();
    if (++done == 1) first = watch.seconds().front();
    if (done == warm_up) watch.forget();
  });

  const std::string step = request.training ? "a step" : "a batch";
  auto results = watch.results(step, count);
  results.push_back({"first " + step.substr(2), "ms", {first * 1e3}, false});
  results.push_back(
      {"peak memory", "MB", {static_cast<double>(train::peak_memory(device)) * 1e-6}, false});
  if (recorded)
    results.push_back({"steps replayed as a CUDA graph",
                       "steps",
                       {static_cast<double>(setup.step.recorder().replayed())},
                       true});
  results.push_back({"operators called in " + step,
                     "calls",
                     {static_cast<double>(operators_called(work))},
                     false});
  const auto machine = machine_rates(device);
  results.push_back(machine.copy);
  results.insert(results.end(), machine.product.begin(), machine.product.end());
  const auto floor = roofline(request, count, precision, machine, median(watch.seconds()));
  results.insert(results.end(), floor.begin(), floor.end());
  for (auto& result : results)
    if (result.what == step) result.what += fmt::format(" in {}", train::name_of(precision));
  return results;
}

}  // namespace bcx::engine
