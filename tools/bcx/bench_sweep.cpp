// `bcx bench sweep`: what a trial costs beside its training.

#include <fmt/format.h>

#include <chrono>
#include <fstream>

#include "base/error.h"
#include "bench.h"
#include "sweep/ledger.h"

namespace bcx::cli {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr int trials = 500, repetitions = 7;

double milliseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

sweep::Plan plan_of(const std::string& method) {
  sweep::Plan plan;
  plan.name = method;
  plan.method = method;
  plan.trials = trials;
  plan.epochs_per_trial = 1;
  sweep::Axis batch, rate;
  batch.key = "train.batch_size";
  batch.scale = sweep::Axis::Scale::integer;
  batch.low = 1;
  batch.high = 1000;
  rate.key = "optimizer.learning_rate";
  rate.scale = sweep::Axis::Scale::log_uniform;
  rate.low = 1e-5;
  rate.high = 1e-2;
  plan.space.axes = {batch, rate};
  return plan;
}

/// Drawing a trial and telling its value, both durable, with up to `trials` before it.
void cost_of_drawing(const fs::path& folder, const std::string& method, const TakeFigure& take) {
  auto ledger =
      sweep::Ledger::begin(folder / (method + ".db"), plan_of(method), sweep::Ledger::Begin::go_on);
  std::vector<double> times;
  for (int i = 0; i < trials; ++i) {
    const auto start = Clock::now();
    const auto claim = ledger.claim();
    if (!claim) throw Error(ExitCode::other, "the sweep ended early");
    ledger.tell(claim->trial.number(), 1.0 / (i + 1), "");
    times.push_back(milliseconds_since(start));
  }
  take(median_of("a trial of " + method + ", drawn and told", times, "ms"));
}

/// A whole process that trains one batch of 32-pixel images on a CPU: what `bcx run` costs around
/// the training.
void cost_of_a_process(const fs::path& folder, const TakeFigure& take) {
  cost_of_bcx({"data", "demo", (folder / "demo").string(), "--images", "24", "--patients", "8"});
  std::ofstream(folder / "one.toml") << R"([data]
root = "demo"
image_size = 32
[model]
backbone = "squeezenet1_1"
weights = "none"
[train]
epochs = 1
batch_size = 2
limit_batches = 1
device = "cpu"
precision = "fp32"
[evaluate]
test = false
)";
  std::vector<double> times;
  for (int i = 0; i < repetitions; ++i)
    times.push_back(cost_of_bcx({"run", (folder / "one.toml").string(), "--quiet", "--tracker",
                                 (folder / "one.db").string()})
                        .elapsed_ms);
  take(median_of("a trial's process around one batch", times, "ms", 1000));
}

}  // namespace

void bench_sweep(const BenchOptions&, const fs::path& folder, const TakeFigure& take) {
  for (const char* method : {"random", "tpe"}) cost_of_drawing(folder, method, take);
  cost_of_a_process(folder, take);
}

}  // namespace bcx::cli
