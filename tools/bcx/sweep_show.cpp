// `bcx sweep status | best | show`: where a sweep stands and what it found.

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/atomic_file.h"
#include "base/shell.h"
#include "base/table.h"
#include "base/text.h"
#include "json_text.h"
#include "report/report.h"
#include "sweep_commands.h"
#include "sweep_slurm.h"
#include "sweep_text.h"
#include "tracker/schema.h"
#include "tracker_text.h"

namespace bcx::cli {
namespace {

struct Options {
  std::string which, tracker, x, y, out;
  std::int64_t top = 10;
  bool json = false;
};

/// Every sweep, newest first.
int list_sweeps(const Options& options) {
  const auto database = tracker::open_for_reading(tracker_path(options.tracker));
  auto list = nlohmann::ordered_json::array();
  Table table({{"sweep", Align::left, 0},
               {"name", Align::left, 1},
               {"status", Align::left, 0},
               {"method", Align::left, 1},
               {"trials", Align::right, 0},
               {"finished", Align::right, 0},
               {"best", Align::right, 0},
               {"objective", Align::left, 1},
               {"started", Align::left, 2}});
  for (const auto& sweep : tracker::sweeps(database)) {
    std::int64_t trials = 0, finished = 0;
    std::optional<double> best;
    for (const auto& trial : tracker::trials(database, sweep.row)) {
      ++trials;
      finished += trial.state == "finished";
      if (trial.value &&
          (!best || (sweep.direction == "maximize" ? *trial.value > *best : *trial.value < *best)))
        best = trial.value;
    }
    list.push_back({{"id", sweep.id},
                    {"name", sweep.name},
                    {"status", sweep.status},
                    {"method", sweep.method},
                    {"pruner", sweep.pruner},
                    {"objective", sweep.objective},
                    {"trials", trials},
                    {"finished", finished},
                    {"best", best ? nlohmann::ordered_json(*best) : nlohmann::ordered_json()},
                    {"started", iso_time(sweep.started)}});
    table.add({sweep.short_id, sweep.name, sweep.status,
               sweep.pruner == "none" ? sweep.method : sweep.method + ", " + sweep.pruner,
               std::to_string(trials), std::to_string(finished), best ? objective_text(*best) : "",
               sweep.objective, local_time(sweep.started)});
  }
  if (options.json)
    fmt::print("{}\n", dump(list));
  else
    fmt::print("{}", table.empty() ? "there is no sweep in this tracker yet; `bcx sweep run FILE` "
                                     "makes one\n"
                                   : table.text(terminal_width()));
  return 0;
}

void print_head(const SweepState& state) {
  const auto& sweep = state.ledger.sweep();
  const auto& plan = state.ledger.plan();
  fmt::print("sweep {} ({}), {}: {}{}, by {} {}\n{}\n", printable(sweep.name), sweep.short_id,
             sweep.status, plan.method,
             plan.pruner.name == "none" ? "" : " with " + plan.pruner.name,
             plan.maximize ? "highest" : "lowest", plan.objective, counts_text(state));
}

int status(const Options& options) {
  if (options.which.empty()) return list_sweeps(options);
  collect_results(tracker_path(options.tracker), options.which, Queued::tell);
  const sweep::Ledger ledger(tracker_path(options.tracker), options.which);
  const SweepState state(ledger);
  if (options.json) {
    fmt::print("{}\n", dump(sweep_json(state)));
    return 0;
  }
  print_head(state);
  for (std::size_t i = 0; i < state.trials.size(); ++i) {
    const auto& trial = state.trials[i];
    if (trial.row.state == "running")
      fmt::print("trial {} runs: {}, epoch {}\n", trial.number(), short_text(trial.set),
                 state.courses[i].epochs());
    else if (trial.row.state == "failed" || trial.row.state == "infeasible")
      fmt::print("trial {} {}: {} ({})\n", trial.number(), trial.row.state, trial.row.message,
                 short_text(trial.set));
  }
  return 0;
}

int best(const Options& options) {
  collect_results(tracker_path(options.tracker), options.which, Queued::tell);
  const sweep::Ledger ledger(tracker_path(options.tracker), options.which);
  const SweepState state(ledger);
  if (options.json) {
    fmt::print("{}\n", dump(sweep_json(state).at("ranking")));
    return 0;
  }
  fmt::print("{}", ranking_text(state, options.top, terminal_width()));
  if (state.ranking.empty()) return 0;
  std::string sets;
  for (const auto& [key, value] : state.ranking.front().point)
    sets += " --set " + shell_word(fmt::format("{}={}", key, config::to_toml(value)));
  fmt::print("\nthe best: bcx run {}{}\n",
             printable(shell_word((ledger.folder() / "experiment.toml").string())),
             printable(sets));
  return 0;
}

int show(const Options& options) {
  collect_results(tracker_path(options.tracker), options.which, Queued::tell);
  const sweep::Ledger ledger(tracker_path(options.tracker), options.which);
  const SweepState state(ledger);
  if (options.json) {
    fmt::print("{}\n", dump(sweep_json(state)));
    return 0;
  }
  const int width = terminal_width();
  const bool colour = isatty(STDOUT_FILENO) != 0 && std::getenv("NO_COLOR") == nullptr;
  print_head(state);
  fmt::print("\n{}", trials_text(state, width));
  for (const auto& part : {heat_map_text(state, options.x, options.y, width, colour),
                           importance_text(state, width), history_text(state, width)})
    if (!part.empty()) fmt::print("\n{}", part);
  return 0;
}

int report(const Options& options) {
  collect_results(tracker_path(options.tracker), options.which, Queued::tell);
  const sweep::Ledger ledger(tracker_path(options.tracker), options.which);
  const auto page = report::sweep_report(figures_of(SweepState(ledger)), report::plotly_script());
  const auto file =
      options.out.empty() ? "sweep-" + ledger.sweep().short_id + ".html" : options.out;
  write_atomically(file, page);
  fmt::print("{}  {}\n", printable(file), human_bytes(page.size()));
  return 0;
}

}  // namespace

void add_sweep_options(CLI::App& command, std::string& which, std::string& tracker) {
  command.add_option("SWEEP", which, "Name, id, or @last (the default)");
  add_tracker_option(command, tracker);
}

void add_sweep_views(CLI::App& group, Action& action) {
  auto status_options = std::make_shared<Options>();
  auto* status_command = group.add_subcommand("status", "All sweeps, or where one stands");
  add_sweep_options(*status_command, status_options->which, status_options->tracker);
  status_command->add_flag("--json", status_options->json, "As JSON");
  status_command->footer("Example: bcx sweep status");
  status_command->callback(
      [&action, status_options] { action = [status_options] { return status(*status_options); }; });

  auto best_options = std::make_shared<Options>();
  best_options->which = "@last";
  auto* best_command = group.add_subcommand("best", "The best points, over their seeds");
  add_sweep_options(*best_command, best_options->which, best_options->tracker);
  best_command->add_option("--top", best_options->top, "How many (default: 10; 0: all)")
      ->check(CLI::NonNegativeNumber);
  best_command->add_flag("--json", best_options->json, "As JSON");
  best_command->footer("Example: bcx sweep best @last --top 3");
  best_command->callback(
      [&action, best_options] { action = [best_options] { return best(*best_options); }; });

  auto show_options = std::make_shared<Options>();
  show_options->which = "@last";
  auto* show_command =
      group.add_subcommand("show", "Every trial, a heat map, what mattered, the history");
  add_sweep_options(*show_command, show_options->which, show_options->tracker);
  show_command->add_option("--x", show_options->x, "The heat map's parameter across");
  show_command->add_option("--y", show_options->y, "The heat map's parameter down");
  show_command->add_flag("--json", show_options->json, "As JSON");
  show_command->footer("Example: bcx sweep show @last --x learning_rate --y batch_size");
  show_command->callback(
      [&action, show_options] { action = [show_options] { return show(*show_options); }; });

  auto report_options = std::make_shared<Options>();
  report_options->which = "@last";
  auto* report_command = group.add_subcommand("report", "A page with charts as one HTML file");
  add_sweep_options(*report_command, report_options->which, report_options->tracker);
  report_command->add_option("--out", report_options->out, "The file to write [sweep-ID.html]")
      ->type_name("FILE.html");
  report_command->footer("Example: bcx sweep report @last --out sweep.html");
  report_command->callback(
      [&action, report_options] { action = [report_options] { return report(*report_options); }; });
}

}  // namespace bcx::cli
