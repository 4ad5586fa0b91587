// `bcx bench growth`: how costs grow with images, classes, epochs, runs, batch size and pixels.
//
// Real processes on real files; processor time (user and system, all threads), which another load
// on the machine changes least. Of each series the last two sizes give the exponent of growth:
// 1 is linear, 0 constant, 2 quadratic.
#include <fcntl.h>
#include <fmt/format.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <fstream>
#include <random>

#include "base/error.h"
#include "bench.h"
#include "data/breakhis.h"
#include "data/images.h"
#include "eval/predictions.h"
#include "growth_series.h"

namespace bcx::cli {
namespace {

namespace fs = std::filesystem;
using Sizes = std::vector<std::int64_t>;

/// Three times, or once what takes seconds.
template <typename Cost>
std::vector<double> repeated(const Cost& cost) {
  std::vector<double> values{cost()};
  while (values.size() < 3 && values.front() < 2'000) values.push_back(cost());
  return values;
}

std::vector<double> processor_times(const std::vector<std::string>& arguments) {
  return repeated([&] { return cost_of_bcx(arguments).processor_ms; });
}

void make_file(const fs::path& path) {
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (file < 0)
    throw Error(ExitCode::storage, {"cannot be made: " + system_message(errno),
                                    printable(path.string()), "name another place with --folder"});
  close(file);
}

/// `sizes` up to `largest`.
Sizes up_to(std::int64_t largest, Sizes sizes) {
  std::erase_if(sizes, [&](std::int64_t size) { return size > largest; });
  return sizes;
}

/// What every series needs.
struct Bench {
  const BenchOptions& options;
  const fs::path& folder;
  const TakeFigure& take;
  std::vector<tracker::PlotSeries> curves = {};  ///< of processor time
  Table table = growth_table();

  void keep(const Series& series, bool draw = true) {
    table.add(series.finish());
    if (draw) curves.push_back(series.curve);
  }
  std::string experiment(const std::string& name, const std::string& text) const {
    const auto path = folder / (name + ".toml");
    std::ofstream(path) << text;
    return path.string();
  }
};

/// Empty files under BreakHis's names, 100 of each patient, and a list of the names: no image is
/// read.
void of_images(Bench& bench) {
  const auto root = bench.folder / "names";
  const auto list = bench.folder / "names.txt";
  Series inspect(bench.take, "files found and split", "images"),
      audit(bench.take, "names split and audited", "images"),
      memory(bench.take, "files found and split, peak memory", "images", "MB");
  std::int64_t made = 0;
  for (const auto size : up_to(bench.options.largest, {1'000, 10'000, 100'000, 1'000'000})) {
    std::ofstream names(list, std::ios::app);
    for (; made < size; ++made) {
      const std::int64_t patient = made / 100;
      const data::BreakHisName name{.malignant = patient % 2 == 1,
                                    .type = patient % 2 == 1 ? "DC" : "A",
                                    .year = "14",
                                    .number = fmt::format("{:06}", patient),
                                    .letters = "",
                                    .magnification = "100",
                                    .sequence = fmt::format("{:03}", made % 100)};
      const fs::path path = root / name.relative_path();
      if (made % 100 == 0) fs::create_directories(path.parent_path());
      make_file(path);
      names << name.file_name() << '\n';
    }
    names.close();
    double peak = 0;
    inspect.add(size, repeated([&] {
                  const auto cost = cost_of_bcx({"data", "inspect", root.string()});
                  peak = cost.peak_mb;
                  return cost.processor_ms;
                }));
    memory.add(size, {peak});
    audit.add(size, processor_times({"data", "audit", list.string()}));
  }
  bench.keep(inspect);
  bench.keep(audit);
  bench.keep(memory, /*draw=*/false);
}

/// Pictures of noise, 32 pixels a side, `0.png` and so on.
void draw_noise(const fs::path& folder, std::int64_t count) {
  fs::create_directories(folder);
  std::mt19937 dice(1);
  data::Image image(32, 32);
  for (std::int64_t i = 0; i < count; ++i) {
    throw_if_stopped("drawing");
    for (auto& value : image.rgb) value = static_cast<std::uint8_t>(dice());
    std::ofstream file(folder / fmt::format("{}.png", i), std::ios::binary);
    const auto bytes = data::encode_png(image.view());
    file.write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
  }
}

/// The same pictures under `classes` folders, by turns.
void link_classes(const fs::path& pictures, const fs::path& root, std::int64_t count,
                  std::int64_t classes) {
  for (std::int64_t k = 0; k < classes; ++k)
    fs::create_directories(root / fmt::format("class{:05}", k));
  for (std::int64_t i = 0; i < count; ++i)
    fs::create_hard_link(pictures / fmt::format("{}.png", i),
                         root / fmt::format("class{:05}", i % classes) / fmt::format("{}.png", i));
}

std::string small_run(const fs::path& root, std::string_view data, std::string_view train) {
  return fmt::format(R"([data]
root = "{}"
source = "folders"
image_size = 32
{}
[data.split]
by = "image"
[model]
backbone = "squeezenet1_1"
weights = "none"
[train]
device = "cpu"
precision = "fp32"
threads = 1
{}
)",
                     root.string(), data, train);
}

/// A whole run of one batch, and what is asked of it: the number of images stays the same.
void of_classes(Bench& bench) {
  const auto sizes = up_to(bench.options.largest, {2, 10, 100, 1'000, 10'000});
  const std::int64_t images = 3 * sizes.back();
  const auto pictures = bench.folder / "noise";
  draw_noise(pictures, images);
  Series run(bench.take, fmt::format("a run of {} images, one batch", grouped(images)), "classes"),
      show(bench.take, "bcx show of it", "classes"),
      inspect(bench.take, "its files found and split", "classes");
  for (const auto classes : sizes) {
    const auto root = bench.folder / fmt::format("classes{}", classes);
    link_classes(pictures, root, images, classes);
    const auto file = bench.experiment(
        "classes", small_run(root, "", "epochs = 1\nbatch_size = 16\nlimit_batches = 1"));
    const auto tracker = (bench.folder / fmt::format("classes{}.db", classes)).string();
    run.add(classes, {cost_of_bcx({"run", file, "--quiet", "--tracker", tracker}).processor_ms});
    show.add(classes, processor_times({"show", "@last", "--tracker", tracker}));
    inspect.add(classes, processor_times({"data", "inspect", file}));
    fs::remove_all(root);
  }
  for (const auto* series : {&run, &show, &inspect}) bench.keep(*series);
}

/// All figures of so many predictions, from logits. A prediction holds a number for each class, so
/// that linear is what can be had.
void of_predictions(Bench& bench) {
  const std::int64_t samples = std::min<std::int64_t>(10'000, bench.options.largest);
  Series series(bench.take, fmt::format("figures of {} predictions", grouped(samples)), "classes");
  std::mt19937 dice(1);
  for (const auto classes : up_to(samples, {2, 10, 100, 1'000, 10'000})) {
    eval::Predictions predictions;
    predictions.classes = static_cast<int>(classes);
    for (std::int64_t i = 0; i < samples; ++i)
      predictions.targets.push_back(static_cast<eval::Label>(i % classes));
    for (std::int64_t i = 0; i < samples * classes; ++i)
      predictions.logits.push_back(static_cast<float>(dice()) * 0x1p-32f);
    series.add(classes, repeated([&] {
                 const auto begun = std::clock();
                 eval::named_metrics(predictions, "test");
                 return 1e3 * static_cast<double>(std::clock() - begun) / CLOCKS_PER_SEC;
               }));
  }
  bench.keep(series);
}

void of_epochs(Bench& bench) {
  const auto pictures = bench.folder / "few", root = bench.folder / "epochs";
  draw_noise(pictures, 24);
  link_classes(pictures, root, 24, 2);
  Series series(bench.take, "a run of one batch an epoch", "epochs");
  for (const auto epochs : up_to(bench.options.largest, {1, 10, 100, 1'000})) {
    const auto file = bench.experiment(
        "epochs",
        small_run(root, "", fmt::format("epochs = {}\nbatch_size = 4\nlimit_batches = 1", epochs)));
    series.add(
        epochs,
        {cost_of_bcx({"run", file, "--quiet", "--tracker", (bench.folder / "epochs.db").string()})
             .processor_ms});
  }
  bench.keep(series);
}

void of_runs(Bench& bench) {
  Series list(bench.take, "bcx runs, filtered and sorted", "runs"),
      show(bench.take, "bcx show @last", "runs");
  for (const auto runs : up_to(bench.options.largest, {10, 100, 1'000, 10'000})) {
    const auto path = bench.folder / fmt::format("runs{}.db", runs);
    fill_tracker(path, runs);
    list.add(runs, processor_times({"runs", "val.auc > 0.5 and group1.key6 < 10", "--sort",
                                    "val.auc", "--limit", "20", "--tracker", path.string()}));
    show.add(runs, processor_times({"show", "@last", "--tracker", path.string()}));
  }
  bench.keep(list);
  bench.keep(show);
}

/// One epoch over the same 256 images.
void of_batch_size(Bench& bench) {
  constexpr std::int64_t images = 256;
  const auto pictures = bench.folder / "some", root = bench.folder / "batches";
  draw_noise(pictures, images);
  link_classes(pictures, root, images, 2);
  Series time(bench.take, "an epoch of the same images", "images a batch"),
      memory(bench.take, "an epoch, peak memory", "images a batch", "MB");
  for (const auto size : up_to(bench.options.largest, {2, 8, 32, 128})) {
    const auto file = bench.experiment(
        "batches", small_run(root, "", fmt::format("epochs = 1\nbatch_size = {}", size)));
    const auto cost =
        cost_of_bcx({"run", file, "--quiet", "--tracker", (bench.folder / "batches.db").string()});
    time.add(size, {cost.processor_ms});
    memory.add(size, {cost.peak_mb});
  }
  bench.keep(time);
  bench.keep(memory, /*draw=*/false);
}

/// Pictures kept at 512 pixels a side, 0.8 MB each, in the mapped cache: the memory that is a
/// run's own must not grow with them.
void of_pixels(Bench& bench) {
  const auto sizes = up_to(bench.options.largest, {100, 200, 400, 800});
  const auto pictures = bench.folder / "kept";
  draw_noise(pictures, sizes.back());
  Series decoding(bench.take, "memory of a run that decodes", "images of 0.8 MB", "MB"),
      mapping(bench.take, "memory of a run that maps the cache", "images of 0.8 MB", "MB");
  for (const auto images : sizes) {
    const auto root = bench.folder / fmt::format("pixels{}", images);
    link_classes(pictures, root, images, 2);
    const auto file = bench.experiment(
        "pixels", small_run(root, "cache_size = 512", "epochs = 1\nbatch_size = 16"));
    const std::vector<std::string> run{"run", file, "--quiet", "--tracker",
                                       (bench.folder / "pixels.db").string()};
    decoding.add(images, {cost_of_bcx(run, /*watch_memory=*/true).own_mb});
    mapping.add(images, {cost_of_bcx(run, /*watch_memory=*/true).own_mb});
  }
  bench.keep(decoding, /*draw=*/false);
  bench.keep(mapping, /*draw=*/false);
}

struct Part {
  const char* name;
  void (*measure)(Bench&);
};
constexpr std::array<Part, 7> parts{{{"images", of_images},
                                     {"classes", of_classes},
                                     {"predictions", of_predictions},
                                     {"epochs", of_epochs},
                                     {"runs", of_runs},
                                     {"batch_size", of_batch_size},
                                     {"pixels", of_pixels}}};

}  // namespace

std::vector<std::string> growth_parts() {
  std::vector<std::string> names;
  for (const auto& part : parts) names.emplace_back(part.name);
  return names;
}

void bench_growth(const BenchOptions& options, const fs::path& folder, const TakeFigure& take) {
  const SignalScope signals;
  // Decoded pictures of these runs belong to the place that is removed afterwards.
  setenv("XDG_CACHE_HOME", (folder / "cache").c_str(), 1);
  Bench bench{options, folder, take};
  for (const auto& [name, measure] : parts)
    if (options.of.empty() ||
        std::find(options.of.begin(), options.of.end(), name) != options.of.end())
      measure(bench);
  if (options.json) return;
  fmt::print("{}\n", bench.table.markdown());
  if (!bench.curves.empty())
    fmt::print(
        "processor time in ms\n{}\n",
        tracker::plot(bench.curves, "powers of ten", {.width = 100, .height = 30, .log = true}));
}

}  // namespace bcx::cli
