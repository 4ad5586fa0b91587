// `bcx predict`: a run's model, or with --imagenet a published network, on anybody's pictures.

#include <fmt/format.h>

#include <memory>

#include "base/signals.h"
#include "base/text.h"
#include "commands.h"
#include "console.h"
#include "load_engine.h"
#include "picture_list.h"
#include "predict_imagenet.h"
#include "prediction_writer.h"
#include "run_model.h"
#include "tracker_text.h"

namespace bcx::cli {
namespace {

struct PredictOptions {
  ModelOptions model;
  std::vector<std::string> paths, lists;
  std::string out;
  bool json = false, quiet = false;
  ImageNetOptions imagenet;
};

/// Which model speaks, and how it decides.
void introduce(const RunModel& model, train::Observer& observer) {
  std::string text =
      fmt::format("model    {} ({}), ", printable(model.run.name), model.run.short_id);
  text += model.members.size() == 1
              ? printable(model.members.front().checkpoint.filename().string())
              : fmt::format("mean of {} folds", model.members.size());
  if (model.rule.threshold)
    text += fmt::format("; {} from {} on",
                        printable(model.classes[static_cast<std::size_t>(model.positive)]),
                        shortest(*model.rule.threshold));
  observer.message(train::Tone::note, text);
  for (const auto& stamp : model.run.stamps)
    observer.message(train::Tone::warning, fmt::format("the run is stamped {}", stamp.name));
}

/// --imagenet: there is no run, and the first word is a picture like the others.
int predict_published(PredictOptions options) {
  auto& asked = options.imagenet;
  asked.paths = std::move(options.paths);
  asked.paths.insert(asked.paths.begin(), options.model.run);
  asked.device = options.model.device.empty() ? "auto" : options.model.device;
  asked.plugin_folders = options.model.plugin_paths;
  asked.json = options.json;
  return predict_imagenet(asked);
}

int predict(const PredictOptions& options) {
  if (options.imagenet.imagenet) return predict_published(options);
  const SignalScope signals;
  const tracker::Reader reader(tracker_path(options.model.tracker));
  const auto model = open_run_model(reader, options.model);
  const auto list = list_pictures(options.paths, options.lists);
  ConsoleObserver observer(options.quiet);
  introduce(model, observer);
  std::size_t unreadable = 0;
  const auto cannot_read = [&](const std::string& path, const std::string& problem) {
    observer.message(train::Tone::warning, fmt::format("{}: {}", printable(path), problem));
    ++unreadable;
  };
  for (const auto& [folder, problem] : list.problems) cannot_read(folder, problem);

  PredictionWriter writer(model, options.json, options.out);
  load_engine().predict(
      {model.trained(), list.pictures},
      [&](const engine::Predicted& one) {
        const auto path = list.pictures[one.image].path.string();
        if (one.problem.empty())
          writer.write(path, one.logits);
        else
          cannot_read(path, one.problem);
      },
      observer);
  writer.finish();
  if (unreadable == 0) return static_cast<int>(ExitCode::ok);
  fmt::print(stderr, "error: {} of {} cannot be read\n",
             grouped(static_cast<std::int64_t>(unreadable)),
             grouped(std::ssize(list.pictures) + std::ssize(list.problems)));
  return static_cast<int>(ExitCode::data);
}

}  // namespace

void add_predict(CLI::App& app, Action& action) {
  auto options = std::make_shared<PredictOptions>();
  auto* command = app.add_subcommand("predict", "Classify pictures with a run's model");
  add_model_options(*command, options->model);
  command->add_option("PATH", options->paths,
                      "Pictures, folders of pictures, or - for paths on standard input");
  command->add_option("--list", options->lists, "A file with a path on each line (repeatable)")
      ->type_name("FILE")
      ->expected(1)
      ->take_all()
      ->allow_extra_args(false);
  command
      ->add_option("--tta", options->model.views,
                   "Views of test-time augmentation to average (default: 1, the image itself)")
      ->check(CLI::Range(1, 1000));
  command->add_option("--out", options->out, "Write here instead of standard output")
      ->type_name("FILE");
  command->add_flag("--json", options->json, "JSON lines instead of CSV");
  command->add_flag("--imagenet", options->imagenet.imagenet,
                    "No run: ask a published network for ImageNet's classes");
  command->add_option("--backbone", options->imagenet.backbone, "The published network")
      ->default_val("tf_efficientnet_lite0")
      ->type_name("NAME");
  command
      ->add_option("--weights", options->imagenet.weights,
                   "The published network's: `imagenet`, or a .safetensors file")
      ->default_val("imagenet")
      ->type_name("WEIGHTS");
  command->add_option("--top", options->imagenet.top, "Of ImageNet's classes, shown for a picture")
      ->default_val(5)
      ->check(CLI::Range(1, 1000));
  command->add_flag("--quiet", options->quiet, "Warnings alone");
  command->footer(
      "Examples:\n  bcx predict @last new-images/ --out predictions.csv\n"
      "  bcx predict --imagenet cat.jpg --top 3");
  command->callback([&action, options] { action = [options] { return predict(*options); }; });
}

}  // namespace bcx::cli
