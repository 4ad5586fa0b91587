// `bcx log RUN`: what happened in a run, line by line.

#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "commands.h"
#include "json_text.h"
#include "tracker_text.h"

namespace bcx::cli {
namespace {

struct Options {
  std::string database, run = "@last";
  bool json = false;
};

void print_json(const std::vector<tracker::EventShown>& events) {
  auto json = nlohmann::ordered_json::array();
  for (const auto& event : events)
    json.push_back({{"time", iso_time(event.time)},
                    {"attempt", event.attempt},
                    {"level", event.level},
                    {"message", event.message}});
  fmt::print("{}\n", dump(json));
}

void print_lines(const tracker::Reader& reader, const tracker::RunShown& run,
                 const std::vector<tracker::EventShown>& events) {
  const auto attempts = reader.attempts(run.id);
  std::int64_t attempt = 1;
  for (const auto& event : events) {
    for (; attempt < event.attempt; ++attempt)
      if (const auto next = static_cast<std::size_t>(attempt); next < attempts.size())
        fmt::print("{}  resumed after epoch {}, step {}\n", local_time(attempts[next].started),
                   attempts[next].first.epoch, attempts[next].first.step);
    const std::string level = event.level == "info" ? "" : printable(event.level) + ": ";
    fmt::print("{}  {}{}\n", local_time(event.time), level, printable(event.message));
  }
  if (events.empty()) fmt::print(stderr, "nothing was logged\n");
  fmt::print(stderr, "{}{}{}\n", run.status, run.exit_reason.empty() ? "" : ": ",
             printable(run.exit_reason));
}

int show_log(const Options& options) {
  const tracker::Reader reader(tracker_path(options.database));
  const auto run = open_run(reader, options.run);
  const auto events = reader.events(run.id);
  if (options.json)
    print_json(events);
  else
    print_lines(reader, run, events);
  return 0;
}

}  // namespace

void add_log(CLI::App& app, Action& action) {
  auto* command = app.add_subcommand("log", "Print what a run logged");
  auto options = std::make_shared<Options>();
  command->add_option("run", options->run, "Id, name, @last (the default) or @best:KEY")
      ->type_name("RUN");
  command->add_flag("--json", options->json, "As a JSON array");
  add_tracker_option(*command, options->database);
  command->footer("Example:\n  bcx log @last");
  command->callback([options, &action] { action = [options] { return show_log(*options); }; });
}

}  // namespace bcx::cli
