#include "engine/bench.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <torch/torch.h>

#include <chrono>
#include <numeric>

#include "base/signals.h"
#include "base/timing.h"
#include "engine/training_setup.h"
#include "train/device.h"
#include "train/forward.h"

namespace bcx::engine {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int rate_repetitions = 7;

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

/// Work per second, `rate_repetitions` times after one to warm up.
template <typename Work>
std::vector<double> rates(double amount, const Work& work) {
  std::vector<double> result;
  work();
  for (int i = 0; i < rate_repetitions; ++i) {
    const auto begun = Clock::now();
    work();
    result.push_back(amount / seconds_since(begun));
  }
  return result;
}

/// What this processor can do at best: large copies, large matrix products.
std::vector<Measured> machine_rates(at::Device device) {
  if (!device.is_cpu()) return {};
  std::vector<Measured> result;
  const auto from = at::ones({64 << 20}), to = at::empty_like(from);
  result.push_back({"memory copied (read and written)", "GB/s",
                    rates(2e-9 * static_cast<double>(from.nbytes()), [&] { to.copy_(from); }),
                    true});
  constexpr std::int64_t n = 2048;
  for (const auto type : {at::kFloat, at::kBFloat16}) {
    if (type == at::kBFloat16 && !train::cpu_has_bf16()) continue;
    const auto a = at::ones({n, n}, type), b = at::ones({n, n}, type);
    auto c = at::empty({n, n}, type);
    result.push_back({type == at::kFloat ? "matrix product, fp32" : "matrix product, bf16",
                      "GFLOP/s", rates(2e-9 * n * n * n, [&] { at::mm_out(c, a, b); }), true});
  }
  return result;
}

std::int64_t batch_size(const BenchRequest& request) {
  const auto& e = request.experiment;
  return request.training || e.evaluate.batch_size == 0 ? e.train.batch_size
                                                        : e.evaluate.batch_size;
}

/// The least time that the published network's products take at the rate of large ones; a backward
/// pass has two products for each of the forward pass.
std::vector<Measured> floor_of(const BenchRequest& request, train::Precision precision,
                               const std::vector<Measured>& machine, double seconds) {
  const auto& e = request.experiment;
  const auto batch = batch_size(request);
  const auto* spec = request.catalog.find(config::ComponentKind::backbone, e.model.backbone.name);
  const std::size_t rate = precision == train::Precision::bf16 ? 2 : 1;
  if (!spec || !spec->facts.gmacs_224 || machine.size() <= rate) return {};
  const double side = static_cast<double>(e.data.image_size) / 224.0;
  const double flops = 2e9 * *spec->facts.gmacs_224 * side * side * static_cast<double>(batch) *
                       (request.training ? 3.0 : 1.0);
  const double least = flops / (median(machine[rate].values) * 1e9);
  return {{"arithmetic alone, at that rate", "ms", {least * 1e3}, false},
          {"time over that", "times", {seconds / least}, false}};
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
  if (e.train.precision == "auto")
    setup.choose_precision(e);
  else
    setup.step.set_precision(train::precision_named(e.train.precision));
  const auto precision = setup.step.settings().precision;
  Stopwatch watch(device, threads);
  double first = 0;
  std::int64_t done = 0;
  // Steps that are replayed are what is timed, not how they came to be.
  const bool recorded = request.training && setup.step.recorder().in_use();
  const auto warm_up = recorded ? std::max(request.warm_up, train::StepRecorder::warm_up_steps + 2)
                                : request.warm_up;
  const auto lap = [&] {
    watch.lap();
    if (++done == 1) first = watch.seconds().front();
    if (done == warm_up) watch.forget();
  };
  const std::int64_t all = warm_up + request.steps;
  if (request.training) {
    std::vector<std::int64_t> indexes(static_cast<std::size_t>(count));
    std::iota(indexes.begin(), indexes.end(), 0);
    const std::vector<std::int64_t> times(indexes.size(), 0);
    for (std::int64_t i = 0; i < all; ++i) {
      setup.step.run(1, count,
                     [&](std::int64_t) { return setup.input.training(indexes, times, 0); }, {0, i});
      lap();
    }
  } else {
    std::vector<std::int64_t> indexes;
    for (std::int64_t i = 0; i < all * count; ++i) indexes.push_back(i % count);
    train::forward_all(*setup.model.classifier.object, setup.model.classifier.site, setup.input,
                       indexes, setup.step.context(),
                       {.precision = precision, .batch_size = count, .views = 1},
                       [&](std::int64_t, std::int64_t) { lap(); });
  }

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
  const auto machine = machine_rates(device);
  results.insert(results.end(), machine.begin(), machine.end());
  const auto floor = floor_of(request, precision, machine, median(watch.seconds()));
  results.insert(results.end(), floor.begin(), floor.end());
  for (auto& result : results)
    if (result.what == step) result.what += fmt::format(" in {}", train::name_of(precision));
  return results;
}

}  // namespace bcx::engine
