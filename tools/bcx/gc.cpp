// `bcx gc`: files beneath the tracker's folder that nothing needs any more.

#include <fmt/format.h>

#include <memory>

#include "base/table.h"
#include "base/text.h"
#include "commands.h"
#include "tracker/garbage.h"
#include "tracker_text.h"

namespace bcx::cli {
namespace {

struct Options {
  std::string database;
  bool yes = false, trash = false;
};

int collect(const Options& options) {
  const auto path = tracker_path(options.database);
  if (options.trash && options.yes) {
    const auto runs = tracker::forget_trashed(path);
    fmt::print("{} run{} forgotten\n", runs, runs == 1 ? "" : "s");
  }
  const auto found = tracker::collect_garbage(path, options.yes);
  Table table({{"file", Align::left, 2}, {"size", Align::right, 0}, {"why", Align::left, 1}});
  std::uint64_t bytes = 0;
  for (const auto& one : found) {
    const auto size = static_cast<std::uint64_t>(std::max<std::int64_t>(0, one.bytes));
    bytes += size;
    table.add({one.path, human_bytes(size), one.why});
  }
  if (!found.empty()) fmt::print("{}", table.text(terminal_width()));
  fmt::print(stderr, "{} files, {} {}\n", found.size(), human_bytes(bytes),
             options.yes ? "removed" : "could be removed: --yes does it");
  if (options.trash && !options.yes)
    fmt::print(stderr, "with --yes the runs in the trash (bcx rm --list) are forgotten for good\n");
  return 0;
}

}  // namespace

void add_gc(CLI::App& app, Action& action) {
  auto* command = app.add_subcommand("gc", "List files that no run needs, and remove them");
  auto options = std::make_shared<Options>();
  command->add_flag("--yes", options->yes, "Remove them; without it they are listed");
  command->add_flag("--trash", options->trash, "Forget the runs in the trash, too");
  add_tracker_option(*command, options->database);
  command->footer("Example:\n  bcx gc --yes");
  command->callback([options, &action] { action = [options] { return collect(*options); }; });
}

}  // namespace bcx::cli
