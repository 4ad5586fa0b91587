// `bcx bench train` and `bcx bench infer`: an experiment of its own, timed by the engine.
#include <fmt/format.h>

#include <fstream>

#include "bench.h"
#include "load_engine.h"
#include "open_experiment.h"

namespace bcx::cli {
namespace {

constexpr const char* minimal_experiment = R"([experiment]
name = "bench"
[data]
root = "."
[model]
weights = "none"
[optimizer]
name = "adam"
)";

void measure(const BenchOptions& options, bool training, const std::filesystem::path& folder,
             const TakeFigure& take) {
  const auto file = folder / "bench.toml";
  std::ofstream(file) << minimal_experiment;
  ExperimentOptions chosen{
      .file = file.string(),
      .sets = {fmt::format("{}.batch_size={}", training ? "train" : "evaluate", options.batch_size),
               fmt::format("data.image_size={}", options.image_size),
               fmt::format("train.threads={}", options.threads)},
      .plugin_paths = options.plugin_paths,
      .options = {{"--backbone", "model.backbone", options.backbone},
                  {"--precision", "train.precision", options.precision},
                  {"--device", "train.device", options.device}}};
  chosen.sets.insert(chosen.sets.end(), options.sets.begin(), options.sets.end());
  const auto opened = open_experiment(chosen);
  const auto measured = load_engine().bench({.experiment = opened.experiment,
                                             .catalog = *opened.catalog,
                                             .training = training,
                                             .steps = options.steps});
  for (const auto& one : measured) {
    if (one.values.size() > 1)
      take(median_of(one.what, one.values, one.unit));
    else
      take({one.what, one.values.front(), one.unit});
  }
}

}  // namespace

void bench_train(const BenchOptions& options, const std::filesystem::path& folder,
                 const TakeFigure& take) {
  measure(options, /*training=*/true, folder, take);
}

void bench_infer(const BenchOptions& options, const std::filesystem::path& folder,
                 const TakeFigure& take) {
  measure(options, /*training=*/false, folder, take);
}

}  // namespace bcx::cli
