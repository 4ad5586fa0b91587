// One hot path without LibTorch, for tools/instructions to count the instructions of.
//
//     bcx_hot_paths --list             # names
//     bcx_hot_paths --built            # compiler, build type, processor, C library
//     bcx_hot_paths NAME FOLDER        # prepares in FOLDER, which is empty, and calls counted()
//     once
//
// Only what happens within counted(), on its own thread, is counted.
#include <gnu/libc-version.h>

#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "base/philox.h"
#include "config/load.h"
#include "data/audit.h"
#include "data/breakhis.h"
#include "data/scan.h"
#include "data/split.h"
#include "eval/bootstrap.h"
#include "eval/metrics.h"
#include "eval/predictions.h"
#include "tests/unit/eval/study.h"
#include "tools/docs/source_catalog.h"
#include "tracker/run_writer.h"
#include "weights/safetensors.h"

namespace fs = std::filesystem;
using Work = std::function<void()>;

extern "C" [[gnu::noinline]] void counted(const Work& work) {
  work();
  asm volatile("" ::: "memory");  // no tail call: the function must be seen to return
}

namespace bcx {
namespace {

template <typename T>
void keep(const T& result) {
  asm volatile("" : : "r"(&result) : "memory");
}

/// 10,000 values into the ring, which holds them all.
Work metrics_logged(const fs::path& folder) {
  tracker::RunDescription description;
  description.name = "counted";
  const std::shared_ptr<tracker::RunWriter> run =
      tracker::RunWriter::create(folder / "bcx.db", description);
  const auto key = run->key("train.loss");
  return [run, key] {
    for (std::int64_t step = 1; step <= 10'000; ++step) run->metric(key, step, 0.5, 0.25);
  };
}

/// A file of as many tensors as DenseNet201 has.
Work safetensors_opened(const fs::path& folder) {
  std::vector<weights::TensorInfo> layout;
  for (int i = 0; i < 604; ++i)
    layout.push_back({"features.denseblock.layer" + std::to_string(i) + ".weight",
                      weights::DType::f32,
                      {4, 4, 1, 1}});
  const auto path = folder / "w.safetensors";
  weights::SafetensorsWriter writer(path, layout);
  writer.write(std::vector<std::byte>(604 * 64));
  writer.finish();
  return [path] { keep(weights::SafetensorsFile::open(path)); };
}

/// 2,000 files of 100 patients.
Work names_scanned_split_audited(const fs::path& folder) {
  for (int i = 0; i < 2'000; ++i) {
    const bool malignant = i / 20 % 2 == 1;
    const data::BreakHisName name{.malignant = malignant,
                                  .type = malignant ? "DC" : "A",
                                  .year = "14",
                                  .number = std::to_string(10'000 + i / 20),
                                  .letters = "",
                                  .magnification = "100",
                                  .sequence = std::to_string(100 + i % 20)};
    const auto path = folder / name.relative_path();
    fs::create_directories(path.parent_path());
    std::ofstream{path};
  }
  config::DataConfig config;
  config.root = folder;
  config.source = "breakhis";
  return [config] {
    const auto table = data::scan(config);
    const auto split = data::make_split(table, config.split, "case");
    keep(data::audit(table, split, nullptr, {}, "case"));
  };
}

/// 50 resamples of 82 patients with 24 images each.
Work bootstrap_resampled(const fs::path&) {
  const auto outcomes = test::study(24, 58, 24, 1);
  return [outcomes] {
    const auto clusters =
        eval::Clusters::by_group(outcomes.groups, outcomes.targets, outcomes.classes());
    // 100 is the fewest; leaving out each patient once is 82 more.
    keep(eval::bootstrap(*eval::figures_of(outcomes, {}, clusters), clusters,
                         {.resamples = 100, .threads = 1}));
  };
}

Work area_under_the_curve(const fs::path&) {
  const auto outcomes = test::study(24, 58, 250, 1);
  const auto positives = eval::is_class(outcomes.targets, 1);
  const auto scores = outcomes.scores.scores(1);
  return [positives, scores] { keep(eval::roc_auc(positives, scores)); };
}

/// 1,000 predictions of 200 classes.
Work figures_of_many_classes(const fs::path&) {
  eval::Predictions predictions;
  predictions.classes = 200;
  const Stream stream(1, "logits");
  for (int i = 0; i < 1'000; ++i) predictions.targets.push_back(i % 200);
  for (std::uint64_t i = 0; i < 200'000; ++i)
    predictions.logits.push_back(static_cast<float>(stream.uniform(i)));
  return [predictions] { keep(eval::named_metrics(predictions, "test")); };
}

Work experiment_loaded(const fs::path&) {
  const fs::path root = BCX_SOURCE_DIR;
  const auto catalog = std::make_shared<docs::SourceCatalog>(root);
  return [root, catalog] {
    config::LoadOptions options;
    options.file = root / "experiments/quickstart.toml";
    keep(config::load_experiment(options, *catalog));
  };
}

struct HotPath {
  const char* name;
  Work (*prepare)(const fs::path&);
};
constexpr HotPath paths[] = {{"metrics_logged", metrics_logged},
                             {"safetensors_opened", safetensors_opened},
                             {"names_scanned_split_audited", names_scanned_split_audited},
                             {"bootstrap_resampled", bootstrap_resampled},
                             {"area_under_the_curve", area_under_the_curve},
                             {"figures_of_many_classes", figures_of_many_classes},
                             {"experiment_loaded", experiment_loaded}};

}  // namespace
}  // namespace bcx

int main(int count, char** words) {
  const std::string_view first = count > 1 ? words[1] : "";
  if (first == "--list") {
    for (const auto& path : bcx::paths) std::puts(path.name);
    return 0;
  }
  if (first == "--built") {
    std::printf("%s, glibc %s\n", BCX_BUILT_BY, gnu_get_libc_version());
    return 0;
  }
  for (const auto& path : bcx::paths)
    if (first == path.name && count == 3) {
      counted(path.prepare(words[2]));
      return 0;
    }
  std::fputs("usage: bcx_hot_paths --list | --built | NAME FOLDER\n", stderr);
  return 2;
}
