// `bcx new`: an experiment file for images that somebody has, to be run as it is or changed.

#include <fmt/format.h>

#include <memory>

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/few.h"
#include "base/shell.h"
#include "base/text.h"
#include "commands.h"
#include "config/experiment.h"
#include "config/params.h"
#include "data/pack.h"
#include "data/scan.h"
#include "data_source.h"

namespace bcx::cli {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::string data, source, file;
};

/// What was found, as far as the file depends on it.
struct Found {
  config::DataConfig config;
  data::SampleTable table;
  std::string group;  ///< attribute whose groups stay together; "": nothing says
  bool has_parts = false;
};

Found look_at(const Options& options) {
  Found found;
  const fs::path place = options.data;
  if (!fs::exists(place))
    throw Error(ExitCode::data, {"does not exist", printable(options.data),
                                 "name a folder with one folder of images per class"});
  found.config.root = fs::absolute(place).lexically_normal();
  found.config.source = options.source.empty() ? guess_source(place) : options.source;
  found.table = found.config.source == "packed" ? data::decode_packed(found.config).table
                                                : data::scan(found.config);
  const auto keys = data::group_keys(found.table);
  if (!keys.empty()) found.group = keys.front();
  found.has_parts = found.table.attribute("part").has_value();
  return found;
}

/// For a command line that people read: in a comment, whose line it must not end, or on a terminal.
std::string shown_word(const std::string& word) {
  return printable(shell_word(word));
}

std::string toml(const std::string& text) {
  return config::to_toml(config::Value(text));
}

/// `60 images of 2 classes: cat 30, dog 30`.
std::string contents(const data::SampleTable& table) {
  std::vector<std::int64_t> counts(table.classes.size());
  for (const auto& sample : table.samples) ++counts[static_cast<std::size_t>(sample.label)];
  std::vector<std::string> parts;
  for (std::size_t k = 0; k < counts.size(); ++k)
    parts.push_back(fmt::format("{} {}", printable(table.classes[k]), grouped(counts[k])));
  return fmt::format("{} images of {} classes: {}", grouped(std::ssize(table.samples)),
                     counts.size(), few(parts));
}

std::string data_section(const Options& options, const Found& found) {
  // As it was given: beside the file it stays right when both are moved.
  const fs::path place = options.data;
  const auto folder = fs::absolute(options.file).parent_path();
  const auto root = place.is_absolute() ? place : fs::relative(place, folder);
  std::string text = fmt::format("[data]\nsource = {}\nroot = {}\n", toml(found.config.source),
                                 toml(root.string()));
  if (found.table.classes.size() == 2)
    text += fmt::format("positive = {}  # what sensitivity and precision are of\n",
                        toml(found.table.classes[static_cast<std::size_t>(found.table.positive)]));
  if (!found.group.empty()) text += fmt::format("patient = {}\n", toml(found.group));
  return text + "image_size = 224\n";
}

std::string split_section(const Found& found) {
  if (found.has_parts) return "# The parts are those of the data: train, validation, test.\n";
  if (!found.group.empty())
    return fmt::format(
        "[data.split]\nby = {}  # all images of one {} stay on one side\nvalidation = 0.2\n"
        "test = 0.2\n",
        toml(found.group), found.group);
  return "# Nothing says which images belong to one patient (or slide, or scene). Where several "
         "do, a split\n"
         "# by image flatters the result: name the patient by a part of the path, and split by "
         "it.\n"
         "#   [data]        pattern = '(?<patient>[^/_]+)_[^/]*$'\n"
         "#   [data.split]  by = \"patient\"\n"
         "[data.split]\nby = \"image\"\nvalidation = 0.2\ntest = 0.2\n";
}

std::string experiment_text(const Options& options, const Found& found) {
  const bool binary = found.table.classes.size() == 2;
  const char* monitor = binary ? "val.auc" : "val.accuracy";
  return fmt::format(
      R"(# {}
# Every other key has its default: bcx check {} --resolved

{}
{}
[model]
backbone = "densenet201"  # bcx plugins list has others
weights = "imagenet"      # "none": random ones

[[augmentation]]
name = "rotate"
degrees = 20.0

[[augmentation]]
name = "zoom"
min = 0.8
max = 1.25

[[augmentation]]
name = "flip"
horizontal = 0.5

[optimizer]
name = "adam"
learning_rate = 1e-4

[train]
epochs = 20
batch_size = 16

[[callback]]
name = "checkpoint"  # the best state is kept, and evaluated at the end
monitor = "{}"

[[callback]]
name = "reduce_lr_on_plateau"
monitor = "{}"
factor = 0.2
patience = 5
)",
      contents(found.table), shown_word(fs::path(options.file).filename().string()),
      data_section(options, found), split_section(found), monitor, monitor);
}

void tell_next(const std::string& file) {
  const std::pair<std::string, const char*> next[] = {
      {"bcx check " + file + " --model", "everything that is wrong, and the memory it takes"},
      {"bcx data preview " + file + " --out sheet.png", "the images as the network sees them"},
      {"bcx run " + file, "train"}};
  fmt::print("\n");
  for (const auto& [command, what] : next)
    fmt::print("  {:<{}}  {}\n", command, next[1].first.size(), what);
}

int write_experiment(Options options) {
  if (options.file.empty()) {
    const auto name = fs::absolute(options.data).lexically_normal();
    const auto last = name.has_filename() ? name : name.parent_path();
    options.file = (fs::is_directory(last) ? last : last.stem()).filename().string() + ".toml";
  }
  if (fs::exists(fs::symlink_status(options.file)))
    throw Error(ExitCode::usage,
                {"is there already", printable(options.file), "give another name with --out"});
  const auto found = look_at(options);
  write_atomically(options.file, experiment_text(options, found));
  fmt::print("{}: {}\n", printable(options.file), contents(found.table));
  if (found.group.empty() && !found.has_parts)
    fmt::print(stderr,
               "warning: nothing says which images belong to one patient: the split is by image; "
               "the file says how to name the patient\n");
  tell_next(shown_word(options.file));
  return 0;
}

}  // namespace

void add_new(CLI::App& app, Action& action) {
  auto* command = app.add_subcommand("new", "Write an experiment file for a folder of images");
  const auto options = std::make_shared<Options>();
  command->add_option("DATA", options->data, "One folder per class, a CSV manifest, ...")
      ->required();
  command->add_option("--source", options->source,
                      "breakhis, folders, manifest or packed (otherwise guessed)");
  command->add_option("--out", options->file, "The file (otherwise DATA.toml in this folder)");
  command->footer("Example: bcx new images && bcx run images.toml");
  command->callback(
      [&action, options] { action = [options] { return write_experiment(*options); }; });
}

}  // namespace bcx::cli
