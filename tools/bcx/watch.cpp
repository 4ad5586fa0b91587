// `bcx watch RUN`: follows a run until it ends, a line an epoch.

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <thread>

#include "base/error.h"
#include "base/signals.h"
#include "base/table.h"
#include "base/text.h"
#include "commands.h"
#include "main_metrics.h"
#include "tracker_text.h"

namespace bcx::cli {
namespace {

struct Options {
  std::string database, run = "@last";
  double every = 1;
};

/// The figures of an epoch: the main validation metrics, or what was asked of none.
bool is_shown(const std::string& key) {
  return key.starts_with("val.") && is_main_metric(std::string_view(key).substr(4));
}

struct Row {
  double epoch = 0;
  std::vector<std::pair<std::string, double>> values;
};

/// Rows by step, beyond `after`.
std::map<std::int64_t, Row> epochs(const tracker::Reader& reader, const tracker::RunShown& run,
                                   std::int64_t after) {
  std::map<std::int64_t, Row> rows;
  for (const auto& [key, summary] : run.metrics) {
    if (!is_shown(key) || summary.last_step <= after) continue;
    for (const auto& point : reader.series(run.id, key)) {
      if (point.step <= after) continue;
      rows[point.step].epoch = point.epoch;
      rows[point.step].values.emplace_back(key, point.value);
    }
  }
  return rows;
}

/// Where it stands between two epochs: on a terminal one line, drawn over.
void print_position(const tracker::RunShown& run) {
  std::int64_t step = 0;
  double epoch = 0;
  for (const auto& [key, summary] : run.metrics) {
    if (summary.last_step <= step) continue;
    step = summary.last_step;
    epoch = summary.last_epoch;
  }
  const auto loss = run.metrics.find("train.loss");
  fmt::print("\r\x1b[Kepoch {:.2f}  step {}{}", epoch, step,
             loss == run.metrics.end() ? "" : "  train.loss " + number_text(loss->second.last));
  std::fflush(stdout);
}

/// As `bcx run` would have left, so that a script can go on with `&&`.
int exit_code(const std::string& status) {
  const auto code = status == "finished"  ? ExitCode::ok
                    : status == "stopped" ? ExitCode::stopped
                                          : ExitCode::other;  // failed, crashed, unknown
  return static_cast<int>(code);
}

int watch(const Options& options) {
  const SignalScope signals;
  const tracker::Reader reader(tracker_path(options.database));
  const auto id = open_run(reader, options.run).id;
  const bool terminal = isatty(STDOUT_FILENO) == 1;
  std::int64_t printed = -1;
  for (;;) {
    const auto run = reader.run(id);
    if (terminal) fmt::print("\r\x1b[K");
    for (const auto& [step, row] : epochs(reader, run, printed)) {
      std::string line = fmt::format("epoch {:g}  step {}", row.epoch, step);
      for (const auto& [key, value] : row.values)
        line += fmt::format("  {} {}", printable(key), number_text(value));
      fmt::print("{}\n", line);
      printed = step;
    }
    if (run.status != "running") {
      fmt::print("{} {}{}{}\n", printable(run.name), run.status,
                 run.exit_reason.empty() ? "" : ": ", printable(run.exit_reason));
      return exit_code(run.status);
    }
    if (terminal) print_position(run);
    std::fflush(stdout);
    for (int tick = 0; tick < options.every * 10 && !stop_requested(); ++tick)
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    if (stop_requested()) {
      if (terminal) fmt::print("\n");
      return static_cast<int>(ExitCode::stopped);
    }
  }
}

}  // namespace

void add_watch(CLI::App& app, Action& action) {
  auto* command = app.add_subcommand("watch", "Follow a run until it ends");
  auto options = std::make_shared<Options>();
  command->add_option("run", options->run, "Id, name, @last (the default) or @best:KEY")
      ->type_name("RUN");
  command->add_option("--every", options->every, "Seconds between two looks")
      ->check(CLI::Range(0.1, 3600.0))
      ->capture_default_str();
  add_tracker_option(*command, options->database);
  command->footer(
      "Leaves with 0 when the run has finished, 75 when it was stopped (or the watching), 1 when "
      "it\n"
      "failed, crashed, or runs on another machine.\n\nExample:\n  bcx watch @last && bcx show "
      "@last");
  command->callback([options, &action] { action = [options] { return watch(*options); }; });
}

}  // namespace bcx::cli
