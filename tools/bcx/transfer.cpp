// `bcx export | merge | import`: runs that travel.

#include <fmt/format.h>

#include <memory>

#include "base/error.h"
#include "base/text.h"
#include "commands.h"
#include "tracker/import.h"
#include "tracker_text.h"

namespace bcx::cli {
namespace {

struct Options {
  std::string database, tensorboard;
  std::vector<std::string> words;
  bool no_checkpoints = false;
};

std::vector<std::string> ids_of(const Options& options, std::size_t count) {
  const tracker::Reader reader(tracker_path(options.database));
  std::vector<std::string> ids;
  for (std::size_t i = 0; i < count; ++i) ids.push_back(open_run(reader, options.words[i]).id);
  return ids;
}

const char* plural(std::size_t count) {
  return count == 1 ? "" : "s";
}

int export_runs(const Options& options) {
  const auto path = tracker_path(options.database);
  if (!options.tensorboard.empty()) {
    const auto ids = ids_of(options, options.words.size());
    tracker::export_tensorboard(path, ids, options.tensorboard);
    fmt::print("{} run{} in {}\n", ids.size(), plural(ids.size()), printable(options.tensorboard));
    return 0;
  }
  if (options.words.size() < 2)
    throw Error(ExitCode::usage,
                {"which runs, into which file?", "", "bcx export RUN... FILE.bcxrun"});
  const std::filesystem::path file = options.words.back();
  const auto ids = ids_of(options, options.words.size() - 1);
  tracker::export_runs(path, ids, file, !options.no_checkpoints);
  fmt::print("{} run{} in {}, {}\n", ids.size(), plural(ids.size()), printable(file.string()),
             human_bytes(std::filesystem::file_size(file)));
  return 0;
}

const char* text_of(tracker::Merged::What what) {
  using What = tracker::Merged::What;
  switch (what) {
    case What::added:
      return "added";
    case What::updated:
      return "brought up to date";
    case What::same:
      return "there already";
    case What::running:
      return "still running: passed over";
    case What::trashed:
      return "in the trash: passed over";
  }
  return "";
}

void print_merged(const std::vector<tracker::Merged>& runs) {
  for (const auto& run : runs)
    fmt::print("{}  {}  {}\n", printable(run.id.substr(run.id.size() - 8)), printable(run.name),
               text_of(run.what));
}

int merge(const Options& options) {
  for (const auto& file : options.words)
    print_merged(tracker::merge(tracker_path(options.database), file));
  return 0;
}

using Import = std::vector<tracker::Merged> (*)(const std::filesystem::path&,
                                                const std::filesystem::path&);

void add_import(CLI::App& app, Action& action, const char* word, const char* help,
                const char* example, Import import) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand(word, help);
  command->add_option("path", options->words, "Where they are")->type_name("PATH")->required();
  add_tracker_option(*command, options->database);
  command->footer(std::string("Example:\n  ") + example);
  command->callback([options, import, &action] {
    action = [options, import] {
      for (const auto& path : options->words)
        print_merged(import(tracker_path(options->database), path));
      return 0;
    };
  });
}

}  // namespace

void add_transfer(CLI::App& app, Action& action) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("export", "Write runs and their files into one file");
  command->add_option("run", options->words, "Ids or names, and the file to be made")
      ->type_name("RUN... FILE")
      ->required();
  command->add_flag("--no-checkpoints", options->no_checkpoints,
                    "Leave out the checkpoints' files");
  command
      ->add_option("--tensorboard", options->tensorboard,
                   "Event files below this folder instead; every word is a run")
      ->type_name("DIR");
  add_tracker_option(*command, options->database);
  command->footer("Example:\n  bcx export @best:val.auc best.bcxrun");
  command->callback([options, &action] { action = [options] { return export_runs(*options); }; });

  options = std::make_shared<Options>();
  command = app.add_subcommand("merge", "Take runs of other trackers or exported files in");
  command->add_option("file", options->words, "Trackers (bcx.db) or exported files")
      ->type_name("FILE")
      ->required();
  add_tracker_option(*command, options->database);
  command->footer("Example:\n  bcx merge best.bcxrun /mnt/other/runs/bcx.db");
  command->callback([options, &action] { action = [options] { return merge(*options); }; });

  command = app.add_subcommand("import", "Take runs that other programs recorded");
  command->require_subcommand(1);
  command->footer("Example:\n  bcx import mlflow mlflow.db");
  add_import(*command, action, "mlflow", "An MLflow SQLite store", "bcx import mlflow mlflow.db",
             tracker::import_mlflow);
  add_import(*command, action, "tensorboard", "The scalars of TensorBoard's event files",
             "bcx import tensorboard logs/", tracker::import_tensorboard);
}

}  // namespace bcx::cli
