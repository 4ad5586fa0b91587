// `bcx data pack` and `bcx data preview`.

#include "data_images.h"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <numeric>

#include "base/signals.h"
#include "base/text.h"
#include "data/contact_sheet.h"
#include "data/decode.h"
#include "data/images.h"
#include "data/pack.h"
#include "data/scan.h"
#include "data/split.h"
#include "load_engine.h"
#include "open_experiment.h"

namespace bcx::cli {
namespace {

using config::Experiment;

// A line that grows on a terminal; nothing elsewhere.
void show_progress(const data::DecodeProgress& now) {
  if (!isatty(STDERR_FILENO)) return;
  fmt::print(stderr, "\rdecoding {} of {}, {}{}", grouped(now.done), grouped(now.total),
             human_duration(now.seconds), now.done == now.total ? "\n" : "");
}

data::DecodeOptions decode_options() {
  data::DecodeOptions options;
  options.progress = show_progress;
  options.warn = [](const std::string& text) { fmt::print(stderr, "warning: {}\n", text); };
  return options;
}

void say_quarantined(const data::DecodedData& decoded) {
  for (const auto& one : decoded.quarantined)
    fmt::print(stderr, "left out: {}: {}\n", printable(one.relative), one.problem);
}

// ---- pack

struct PackOptions {
  ExperimentOptions experiment;
  std::string out;
};

int pack(const PackOptions& options) {
  const SignalScope signals;
  const OpenedExperiment opened = open_experiment(options.experiment);
  const Experiment& experiment = opened.experiment;
  if (experiment.data.source == "packed")
    throw Error(ExitCode::usage,
                {"the data are packed already", experiment.data.root.string(), {}});
  if (!experiment.preprocess.empty())
    throw Error(ExitCode::usage,
                {"preprocess components are fitted on a run's training images, and a packed file "
                 "serves any run",
                 {},
                 "take them out of the file that is packed"});
  const auto decoded =
      data::decode_all(data::scan(experiment.data), experiment.data, decode_options());
  say_quarantined(decoded);
  const auto& view = decoded.pixels.view();
  data::write_packed(options.out, decoded,
                     {view.width, experiment.data.resize, experiment.data.interpolation, {}});
  fmt::print("{}: {} images of {} x {} pixels, {}\n", printable(options.out), grouped(view.count),
             view.width, view.height, human_bytes(std::filesystem::file_size(options.out)));
  fmt::print("use it with: data.source = \"packed\", data.root = \"{}\"\n", printable(options.out));
  return static_cast<int>(ExitCode::ok);
}

void add_pack(CLI::App& data, Action& action) {
  auto* command = data.add_subcommand(
      "pack", "Write the decoded images and their table as one file that needs no image decoder");
  auto options = std::make_shared<PackOptions>();
  add_experiment_options(*command, options->experiment);
  command->add_option("out", options->out, "The packed file")->required()->type_name("OUT");
  command->footer("Example:\n  bcx data pack experiments/densenet201.toml breakhis-224.bcxpack");
  command->callback([=, &action] { action = [=] { return pack(*options); }; });
}

// ---- preview

struct PreviewOptions {
  ExperimentOptions experiment;
  std::string out = "preview.png";
  std::size_t count = 24;
  bool augmented = false;
  std::int64_t epoch = 1;
};

struct Preview {
  data::DecodedData decoded;
  std::vector<data::Part> parts;     // aligned with decoded.table
  std::vector<std::size_t> samples;  // shown
};

Preview packed_preview(const OpenedExperiment& opened, std::size_t count) {
  const Experiment& experiment = opened.experiment;
  Preview preview;
  preview.decoded = data::decode_packed(experiment.data);
  const auto& table = preview.decoded.table;
  const auto split = data::make_split(table, experiment.data.split, experiment.data.patient);
  preview.parts = split.parts;
  if (!experiment.preprocess.empty()) {
    const auto read = [view = preview.decoded.pixels.view()](std::int64_t i) {
      data::Image image(view.height, view.width);
      std::copy_n(view.image(i), image.rgb.size(), image.rgb.begin());
      return image;
    };
    data::preprocess_pixels(preview.decoded,
                            load_engine().preprocess(experiment, *opened.catalog,
                                                     split.indexes(data::Part::train), read),
                            experiment.data.workers);
  }
  preview.samples = data::preview_samples(table, count, experiment.seed);
  return preview;
}

// Only what is shown is decoded.
Preview decoded_preview(const OpenedExperiment& opened, std::size_t count) {
  const Experiment& experiment = opened.experiment;
  data::SampleTable table = data::scan(experiment.data);
  const auto split = data::make_split(table, experiment.data.split, experiment.data.patient);
  auto options = decode_options();
  options.use_cache = false;
  if (!experiment.preprocess.empty())
    options.preprocess = load_engine().preprocess(
        experiment, *opened.catalog, split.indexes(data::Part::train), [&](std::int64_t i) {
          return data::decode_square(table.samples[static_cast<std::size_t>(i)], experiment.data);
        });
  Preview preview;
  std::vector<data::Sample> shown;
  for (const std::size_t i : data::preview_samples(table, count, experiment.seed)) {
    shown.push_back(table.samples[i]);
    preview.parts.push_back(split.parts[i]);
  }
  table.samples = std::move(shown);
  config::DataConfig config = experiment.data;
  config.unreadable = "fail";  // labels and pictures must not shift
  preview.decoded = data::decode_all(table, config, options);
  preview.samples.resize(preview.decoded.table.samples.size());
  std::iota(preview.samples.begin(), preview.samples.end(), std::size_t{0});
  return preview;
}

int preview(const PreviewOptions& options) {
  const SignalScope signals;
  const OpenedExperiment opened = open_experiment(options.experiment);
  const Experiment& experiment = opened.experiment;
  const Preview preview = experiment.data.source == "packed"
                              ? packed_preview(opened, options.count)
                              : decoded_preview(opened, options.count);
  const data::AugmentHook augment = [&](std::span<std::uint8_t> pixels,
                                        const data::PixelView& shape,
                                        std::span<const std::size_t> samples) {
    std::vector<std::uint64_t> ids;
    for (const std::size_t i : samples) ids.push_back(preview.decoded.table.samples[i].id);
    load_engine().augment(experiment, *opened.catalog, pixels, shape, ids, options.epoch - 1);
  };
  const data::Image sheet = data::preview_sheet(preview.decoded, preview.parts, preview.samples,
                                                options.augmented ? augment : data::AugmentHook());
  data::write_png(options.out, sheet.view());
  fmt::print("{}: {} images, {} x {} pixels\n", printable(options.out), preview.samples.size(),
             sheet.width, sheet.height);
  return static_cast<int>(ExitCode::ok);
}

void add_preview(CLI::App& data, Action& action) {
  auto* command =
      data.add_subcommand("preview", "Draw a labelled contact sheet of some images as a PNG");
  auto options = std::make_shared<PreviewOptions>();
  add_experiment_options(*command, options->experiment);
  command->add_option("--out", options->out, "The picture to write")
      ->type_name("PNG")
      ->capture_default_str();
  command->add_option("--count", options->count, "How many images, spread over the classes")
      ->check(CLI::Range(1, 400))
      ->capture_default_str();
  command->add_flag("--augmented", options->augmented,
                    "As training sees them: through the experiment's augmentations");
  command->add_option("--epoch", options->epoch, "Of which epoch, for --augmented")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->footer(
      "Example:\n  bcx data preview experiments/densenet201.toml --out sheet.png --count 48");
  command->callback([=, &action] { action = [=] { return preview(*options); }; });
}

}  // namespace

void add_data_images(CLI::App& data, Action& action) {
  add_pack(data, action);
  add_preview(data, action);
}

}  // namespace bcx::cli
