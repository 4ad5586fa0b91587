// `bcx tag | note | name | rm`: what people change about runs that are recorded.

#include <fmt/format.h>

#include <memory>

#include "base/error.h"
#include "base/table.h"
#include "base/text.h"
#include "commands.h"
#include "tracker/editor.h"
#include "tracker_text.h"

namespace bcx::cli {
namespace {

using tracker::Editor;

struct Options {
  std::string database, run, text;
  std::vector<std::string> runs;
  bool replace = false, undo = false, list = false;
};

/// The run that is meant, by a reader of its own: nothing is open when the Editor comes.
tracker::RunShown find_run(const Options& options, const std::string& word) {
  return open_run(tracker::Reader(tracker_path(options.database)), word);
}

std::string shown(const tracker::RunShown& run) {
  return fmt::format("{} ({})", printable(run.name), run.short_id);
}

int tag(const Options& options, const std::vector<std::string>& words) {
  std::vector<std::string> add, remove;
  for (const auto& word : words) {
    const bool signed_word = word.starts_with('+') || word.starts_with('-');
    (word.starts_with('-') ? remove : add).push_back(signed_word ? word.substr(1) : word);
  }
  const auto run = find_run(options, options.run);
  if (!words.empty()) Editor(tracker_path(options.database)).tag(run.id, add, remove);
  const auto tags = find_run(options, run.id).tags;
  fmt::print("{}: {}\n", shown(run), tags.empty() ? "no tags" : printable(join(tags, ", ")));
  return 0;
}

int note(const Options& options) {
  const auto run = find_run(options, options.run);
  Editor(tracker_path(options.database)).note(run.id, options.text, options.replace);
  fmt::print("{}: noted\n", shown(run));
  return 0;
}

int name(const Options& options) {
  const auto run = find_run(options, options.run);
  Editor(tracker_path(options.database)).rename(run.id, options.text);
  fmt::print("{} is now {}\n", shown(run), printable(options.text));
  return 0;
}

int list_trash(const Options& options) {
  Table table({{"run", Align::left, 0}, {"name", Align::left, 1}, {"started"}, {"thrown away"}});
  for (const auto& one : tracker::trashed_runs(tracker_path(options.database)))
    table.add({one.short_id, one.name, local_time(one.started), local_time(one.trashed)});
  if (table.empty())
    fmt::print(stderr, "the trash is empty\n");
  else
    fmt::print("{}", table.text(terminal_width()));
  return 0;
}

int remove(const Options& options) {
  if (options.list) return list_trash(options);
  if (options.runs.empty())
    throw Error(ExitCode::usage, {"which run?", "", "bcx rm RUN..., or bcx rm --list"});
  std::vector<std::pair<std::string, std::string>> meant;  // id, what to print
  for (const auto& word : options.runs) {
    if (options.undo) {
      meant.emplace_back(tracker::find_trashed(tracker_path(options.database), word), word);
    } else {
      const auto run = find_run(options, word);
      meant.emplace_back(run.id, shown(run));
    }
  }
  Editor editor(tracker_path(options.database));
  for (const auto& [id, text] : meant) {
    if (options.undo)
      editor.restore(id);
    else
      editor.trash(id);
    fmt::print("{} {}\n", printable(text), options.undo ? "is back" : "is in the trash");
  }
  if (!options.undo) fmt::print(stderr, "`bcx rm --undo` brings back; `bcx gc --trash` empties\n");
  return 0;
}

CLI::App* add_command(CLI::App& app, const char* word, const char* help, const char* example,
                      const std::shared_ptr<Options>& options) {
  auto* command = app.add_subcommand(word, help);
  add_tracker_option(*command, options->database);
  command->footer(std::string("Example:\n  ") + example);
  return command;
}

void add_run_option(CLI::App& command, Options& options) {
  command.add_option("run", options.run, "Id, name, @last or @best:KEY")
      ->type_name("RUN")
      ->required();
}

void add_tag(CLI::App& app, Action& action) {
  auto options = std::make_shared<Options>();
  auto* command = add_command(app, "tag", "Give tags to a run, or take them away",
                              "bcx tag @best:val.auc +paper -draft", options);
  add_run_option(*command, *options);
  // `-draft` looks like an option: what is no known one is a tag. No -h, for a tag may begin so.
  command->set_help_flag("--help", "Print this help message and exit");
  command->allow_extras();
  command->callback([options, command, &action] {
    action = [options, words = command->remaining()] { return tag(*options, words); };
  });
}

}  // namespace

void add_edit(CLI::App& app, Action& action) {
  add_tag(app, action);
  auto options = std::make_shared<Options>();
  auto* command = add_command(app, "note", "Add a line to a run's notes",
                              "bcx note @last 'stain normalisation was off'", options);
  add_run_option(*command, *options);
  command->add_option("text", options->text, "The line")->type_name("TEXT")->required();
  command->add_flag("--replace", options->replace, "In the place of all notes");
  command->callback([options, &action] { action = [options] { return note(*options); }; });

  options = std::make_shared<Options>();
  command = add_command(app, "name", "Give a run another name", "bcx name @last baseline", options);
  add_run_option(*command, *options);
  command->add_option("name", options->text, "The new name")->type_name("NAME")->required();
  command->callback([options, &action] { action = [options] { return name(*options); }; });

  options = std::make_shared<Options>();
  command = add_command(app, "rm", "Move runs to the trash, or bring them back", "bcx rm 6f1c09ab",
                        options);
  command->add_option("run", options->runs, "Ids or names")->type_name("RUN");
  command->add_flag("--undo", options->undo, "Bring back from the trash");
  command->add_flag("--list", options->list, "What is in the trash");
  command->callback([options, &action] { action = [options] { return remove(*options); }; });
}

}  // namespace bcx::cli
