// `bcx check`: everything that can be wrong with an experiment, before anything starts.

#include <fmt/format.h>

#include <memory>

#include "base/table.h"
#include "base/text.h"
#include "commands.h"
#include "load_engine.h"
#include "open_experiment.h"

namespace bcx::cli {
namespace {

using config::Experiment;

std::string instances(const std::vector<config::Component>& components) {
  std::vector<std::string> names;
  for (const auto& component : components) names.push_back(component.instance);
  return names.empty() ? "none" : join(names, ", ");
}

std::string split_text(const config::SplitConfig& split) {
  if (split.method == "holdout")
    return fmt::format("holdout by {}: validation {}, test {}", split.by, split.validation,
                       split.test);
  if (split.method == "kfold" || split.method == "repeated")
    return fmt::format("{} by {}: fold {} of {}", split.method, split.by, split.fold,
                       split.method == "kfold" ? split.folds : split.folds * split.repeats);
  return fmt::format("{} by {}: fold {}", split.method, split.by, split.fold);
}

std::string model_text(const OpenedExperiment& opened) {
  const auto& model = opened.experiment.model;
  const auto* spec = opened.catalog->find(config::ComponentKind::backbone, model.backbone.name);
  std::string text = model.backbone.name;
  if (spec && spec->facts.parameters)
    text += fmt::format(" ({} parameters)", grouped(*spec->facts.parameters));
  return text + ", weights " + model.weights;
}

void print_summary(const OpenedExperiment& opened) {
  const Experiment& e = opened.experiment;
  fmt::print("ok: {} ({})\n", printable(e.name), printable(e.file.filename().string()));
  Table table({{"part", Align::left, 0}, {"what"}});
  table.add({"data", fmt::format("{} at {}, {} pixels", e.data.source, e.data.root.string(),
                                 e.data.image_size)});
  table.add({"split", split_text(e.data.split)});
  table.add({"model", model_text(opened)});
  table.add({"augmentation", instances(e.augmentations)});
  table.add({"optimizer", fmt::format("{}, learning rate {}, {}", e.optimizer.name, e.learning_rate,
                                      e.schedule.name)});
  table.add(
      {"train", fmt::format("{} epochs, batch size {}, device {}, precision {}", e.train.epochs,
                            e.train.batch_size, e.train.device, e.train.precision)});
  table.add({"callbacks", instances(e.callbacks)});
  table.add({"tracker", e.tracker.string()});
  fmt::print("{}", table.text(terminal_width()));
}

int check(const ExperimentOptions& options, bool resolved, bool model) {
  const OpenedExperiment opened = open_experiment(options);
  if (resolved) fmt::print("{}", config::resolved_text(opened.experiment));
  auto missing = config::check_files(opened.experiment);
  if (!missing.empty()) throw ErrorList(std::move(missing));
  for (const auto& text : config::advice(opened.experiment, *opened.catalog))
    fmt::print(stderr, "warning: {}\n", text);
  if (!resolved) print_summary(opened);
  if (model) fmt::print("\n{}", load_engine().model_summary(opened.experiment, *opened.catalog));
  return static_cast<int>(ExitCode::ok);
}

}  // namespace

void add_check(CLI::App& app, Action& action) {
  auto* command =
      app.add_subcommand("check", "Say everything that is wrong with an experiment file");
  auto options = std::make_shared<ExperimentOptions>();
  auto resolved = std::make_shared<bool>(false);
  add_experiment_options(*command, *options);
  command->add_flag("--resolved", *resolved,
                    "Print the whole experiment with the origin of each value");
  auto model = std::make_shared<bool>(false);
  command->add_flag("--model", *model,
                    "Build the model: its parts, and the memory that a step takes");
  command->footer(
      "Example:\n  bcx check experiments/densenet201.toml --set train.epochs=3 --resolved");
  command->callback([=, &action] { action = [=] { return check(*options, *resolved, *model); }; });
}

}  // namespace bcx::cli
