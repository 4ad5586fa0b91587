// `bcx show RUN`: everything about one run on one screen.

#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "base/few.h"
#include "base/table.h"
#include "base/text.h"
#include "commands.h"
#include "folds.h"
#include "json_text.h"
#include "main_metrics.h"
#include "show_json.h"
#include "tracker/plot.h"
#include "tracker_text.h"

namespace bcx::cli {
namespace {

using tracker::Reader;
using tracker::RunShown;

struct Options {
  std::string database, run = "@last";
  bool json = false, all = false;
};

void line(const std::string& title, const std::string& text) {
  if (!text.empty()) fmt::print("  {:<11}{}\n", printable(title), printable(text));
}

void print_table(const char* title, const Table& table) {
  if (table.empty()) return;
  fmt::print("\n{}\n", title);
  const int width = terminal_width();
  for (const auto& row : split(trim(table.text(width > 2 ? width - 2 : 0)), '\n'))
    fmt::print("  {}\n", row);
}

void print_head(const RunShown& run) {
  const auto stamps = stamps_text(run);
  fmt::print("{}  {}  {}{}{}\n", printable(run.name), run.short_id, run.status,
             stamps.empty() ? "" : "  ", printable(stamps));
  for (const auto& stamp : run.stamps)
    line(stamp.name, stamp.detail.empty() ? "(no detail)" : stamp.detail);
  line("reason", run.exit_reason);
  line("id", run.id);
  if (run.experiment != run.name) line("experiment", run.experiment);
  line("started", local_time(run.started) + ", " +
                      (run.status == "running" ? "running for " : "took ") + duration_text(run) +
                      (run.attempts > 1 ? fmt::format(", {} attempts", run.attempts) : ""));
  line("where", fmt::format("{}, process {}", run.host, run.pid));
  line("command", run.command);
  line("code", run.git_commit + (run.git_commit.empty() || run.version.empty() ? "" : "  ") +
                   (run.version.empty() ? "" : "bcx " + run.version));
  line("parent", run.parent);
  line("tags", join(run.tags, ", "));
  line("notes", run.notes);
  line("folder", run.folder);
}

void print_data(const Reader& reader, const RunShown& run) {
  const auto split = reader.split(run.id);
  if (!split) return;
  const auto& row = split->row;
  fmt::print("\ndata\n");
  const auto& patient = split->dataset.patient;
  line("source",
       fmt::format("{} ({} images, classes {}{})", split->dataset.source, grouped(split->samples),
                   few(split->dataset.classes), patient.empty() ? "" : "; patient = " + patient));
  std::string fold = row.folds > 1 ? fmt::format(", fold {} of {}", row.fold, row.folds) : "";
  line("split", fmt::format("{} by {}{}", row.method, row.by, fold));
  for (const auto& [part, counts] : split->parts)
    line(part, patient.empty() ? grouped(counts.first) + " images"
                               : fmt::format("{} images, {} patients", grouped(counts.first),
                                             grouped(counts.second)));
}

/// `densenet201.toml:12:3`: the folder is the same for nearly all, and the place is at the end.
std::string short_origin(const std::string& origin) {
  const auto slash = origin.rfind('/');
  return origin.starts_with("--") || slash == origin.npos ? origin : origin.substr(slash + 1);
}

/// Parameters that somebody chose; defaults only when asked for.
void print_params(const RunShown& run, bool all) {
  Table table({{"parameter", Align::left, 1}, {"value", Align::left, 2}, {"from", Align::left, 3}});
  std::int64_t defaults = 0;
  for (const auto& [key, param] : run.params) {
    const bool chosen = param.origin != "default" && param.origin != "plugin manifest";
    if (!all && !chosen)
      ++defaults;
    else
      table.add({key, value_text(param), short_origin(param.origin)});
  }
  print_table("parameters", table);
  if (defaults > 0) fmt::print("  and {} at their defaults (--all)\n", defaults);
}

/// Whether a course over the epochs is worth a line: the final evaluation has a table of its own.
bool has_course(const std::string& key) {
  if (key.starts_with("test.")) return false;
  return !key.starts_with("val.") || is_main_metric(std::string_view(key).substr(4));
}

void print_metrics(const Reader& reader, const RunShown& run, bool all) {
  Table table({{"metric", Align::left, 1},
               {"last", Align::right, 0},
               {"best", Align::right, 0},
               {"at step", Align::right, 0},
               {"course", Align::left, 2}});
  for (const auto& [key, summary] : run.metrics) {
    if (!all && !has_course(key)) continue;
    const auto values = extremes(reader.overview(run.id, key, 256)).y;
    const auto best = best_of(key, summary);
    const auto at = tracker::lower_is_better(key) ? summary.min_step : summary.max_step;
    table.add({key, number_text(summary.last), best ? number_text(*best) : "",
               best ? fmt::format("{}", at) : "", tracker::sparkline(values, 32)});
  }
  print_table("metrics", table);
}

void print_checkpoints(const Reader& reader, const RunShown& run) {
  Table table({{"checkpoint", Align::left, 0},
               {"epoch", Align::right, 0},
               {"step", Align::right, 0},
               {"size", Align::right, 0},
               {"monitored", Align::left, 1},
               {"file", Align::left, 2}});
  for (const auto& one : reader.checkpoints(run.id)) {
    if (!one.kept) continue;
    const auto& row = one.row;
    table.add({row.tag, fmt::format("{}", row.cursor.epoch), fmt::format("{}", row.cursor.step),
               human_bytes(static_cast<std::uint64_t>(std::max<std::int64_t>(0, row.bytes))),
               row.value ? fmt::format("{} {}", row.metric, number_text(*row.value)) : "",
               row.path});
  }
  print_table("checkpoints", table);
}

/// `test, 10 views`; looks at the test part are counted, since each one is a temptation.
std::string title_of(const tracker::EvaluationShown& one) {
  std::string title = one.row.part;
  if (one.row.tta > 1) title += fmt::format(", {} views", one.row.tta);
  return one.row.part == "test" ? title + fmt::format(" (look {})", one.look) : title;
}

/// The evaluations beside each other, a row for each figure.
void print_evaluations(const Reader& reader, const RunShown& run, bool all) {
  std::vector<tracker::EvaluationShown> shown;
  for (auto& one : reader.evaluations(run.id))
    // One of every epoch's validation would fill the screen; the metrics above show them.
    if (one.row.purpose != "epoch") shown.push_back(std::move(one));
  if (shown.empty()) return;
  std::vector<std::string> names(main_metrics.begin(), main_metrics.end());
  std::vector<Column> columns{{"evaluation", Align::left, 0}};
  for (const auto& one : shown) columns.push_back({title_of(one), Align::right, 0});
  if (all)
    for (const auto& one : shown)
      for (const auto& [name, value] : one.row.metrics)
        if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  Table table(columns);
  std::vector<std::string> images{"images"}, threshold{"threshold"}, temperature{"temperature"};
  bool tempered = false;
  for (const auto& one : shown) {
    images.push_back(grouped(one.samples));
    threshold.push_back(one.row.threshold_value ? number_text(*one.row.threshold_value) : "");
    temperature.push_back(one.row.temperature ? number_text(*one.row.temperature) : "");
    tempered = tempered || one.row.temperature;
  }
  table.add(images);
  table.add(threshold);
  if (tempered) table.add(temperature);
  for (const auto& name : names) {
    std::vector<std::string> row{name};
    bool any = false;
    for (const auto& one : shown) {
      const auto found = std::find_if(one.row.metrics.begin(), one.row.metrics.end(),
                                      [&](const auto& metric) { return metric.first == name; });
      any = any || found != one.row.metrics.end();
      row.push_back(found == one.row.metrics.end() ? "" : number_text(found->second));
    }
    if (any) table.add(row);
  }
  print_table("evaluations", table);
}

void print_rest(const Reader& reader, const RunShown& run, bool all) {
  Table plugins({{"plugin", Align::left, 1}, {"kind"}, {"version"}, {"build id"}, {"file"}});
  for (const auto& one : reader.plugins(run.id))
    plugins.add({one.name, one.kind, one.version, one.build_id, one.file});
  if (all) print_table("plugins", plugins);
  Table artifacts({{"artifact", Align::left, 1}, {"kind"}, {"size", Align::right}, {"file"}});
  for (const auto& one : reader.artifacts(run.id))
    artifacts.add({one.name, one.kind,
                   human_bytes(static_cast<std::uint64_t>(std::max<std::int64_t>(0, one.bytes))),
                   one.path});
  print_table("artifacts", artifacts);
  Table facts({{"system", Align::left, 0}, {"", Align::left, 1}});
  for (const auto& [key, value] : reader.system(run.id)) facts.add({key, value});
  if (all) print_table("system", facts);
  const auto events = reader.events(run.id);
  if (!events.empty())
    fmt::print("\n{} log lines, the last: {}  (bcx log {})\n", grouped(std::ssize(events)),
               printable(events.back().message), run.short_id);
}

int show(const Options& options) {
  const Reader reader(tracker_path(options.database));
  const auto run = open_run(reader, options.run);
  if (options.json) {
    fmt::print("{}\n", dump(show_json(reader, run)));
    return 0;
  }
  print_head(run);
  print_data(reader, run);
  print_metrics(reader, run, options.all);
  if (is_folds(run)) {
    fmt::print("\nfolds\n");
    print_folds(reader, run.id);
  }
  print_evaluations(reader, run, options.all);
  print_checkpoints(reader, run);
  print_params(run, options.all);
  print_rest(reader, run, options.all);
  return 0;
}

}  // namespace

void add_show(CLI::App& app, Action& action) {
  auto* command = app.add_subcommand("show", "Show everything about one run");
  auto options = std::make_shared<Options>();
  command->add_option("run", options->run, "Id, name, @last (the default) or @best:KEY")
      ->type_name("RUN");
  command->add_flag("--all", options->all, "Defaults, every metric, plugins and the system too");
  command->add_flag("--json", options->json, "Everything, as JSON");
  add_tracker_option(*command, options->database);
  command->footer("Example:\n  bcx show @best:val.auc");
  command->callback([options, &action] { action = [options] { return show(*options); }; });
}

}  // namespace bcx::cli
