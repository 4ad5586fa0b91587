// `bcx curve RUN KEY`: a metric as a plot in the terminal.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/table.h"
#include "base/text.h"
#include "commands.h"
#include "tracker/plot.h"
#include "tracker_text.h"

namespace bcx::cli {
namespace {

using tracker::Point;

struct Options {
  std::string database, run, key, x;
  int height = 16;
  bool json = false, log = false;
};

/// A key of this run: in full, its last part where that is unique, or the error that helps.
std::string metric_of(const tracker::Reader& reader, const tracker::RunShown& run,
                      const std::string& word) {
  const auto keys = reader.metric_keys(run.id);
  if (std::find(keys.begin(), keys.end(), word) != keys.end()) return word;
  std::vector<std::string> endings;
  for (const auto& key : keys)
    if (key.ends_with("." + word)) endings.push_back(key);
  if (endings.size() == 1) return endings[0];
  const auto near = did_you_mean(word, keys);
  throw Error(
      ExitCode::usage,
      {fmt::format("run {} has no metric \"{}\"", printable(run.name), printable(word)), "",
       printable(near.empty() ? keys.empty() ? "it has none yet" : "it has " + join(keys, ", ")
                              : near)});
}

void print_json(const tracker::RunShown& run, const std::string& key,
                const std::vector<Point>& points) {
  nlohmann::ordered_json json{{"run", run.id}, {"key", key}};
  json["points"] = nlohmann::ordered_json::array();
  for (const auto& point : points)
    json["points"].push_back({{"step", point.step},
                              {"epoch", point.epoch},
                              {"value", point.value},
                              {"time", iso_time(point.time)}});
  fmt::print("{}\n", dump(json));
}

/// Epochs where they tell the points apart, else steps.
bool use_epochs(const std::string& asked, const std::vector<tracker::Bucket>& buckets) {
  if (!asked.empty()) return asked == "epoch";
  for (std::size_t i = 1; i < buckets.size(); ++i)
    if (!(buckets[i].first_epoch > buckets[i - 1].last_epoch)) return false;
  return !buckets.empty() && std::isfinite(buckets.front().first_epoch);
}

void print_plot(const std::string& title, const std::vector<tracker::Bucket>& buckets,
                const Options& options, const tracker::MetricSummary& summary) {
  const bool epochs = use_epochs(options.x, buckets);
  auto series = tracker::extremes(buckets, epochs);
  series.name = title;
  const int terminal = terminal_width();
  fmt::print("{}", tracker::plot(series, epochs ? "epoch" : "step",
                                 {terminal > 0 ? terminal : 80, options.height}, options.log));
  fmt::print("{} points; last {}", grouped(summary.count), number_text(summary.last));
  if (summary.min) fmt::print("; min {} at step {}", number_text(*summary.min), summary.min_step);
  if (summary.max) fmt::print("; max {} at step {}", number_text(*summary.max), summary.max_step);
  if (summary.nan_count > 0) fmt::print("; {} not a number", summary.nan_count);
  fmt::print("\n");
}

int show_curve(const Options& options) {
  constexpr std::int64_t columns = 1000;  // a terminal's dots, with room for the widest
  const tracker::Reader reader(tracker_path(options.database));
  const auto run = open_run(reader, options.run);
  const auto key = metric_of(reader, run, options.key);
  if (options.json) {
    print_json(run, key, reader.series(run.id, key));
    return 0;
  }
  const auto stamps = stamps_text(run);
  print_plot(fmt::format("{}  {} ({}){}{}", key, run.name, run.short_id, stamps.empty() ? "" : "  ",
                         stamps),
             reader.overview(run.id, key, columns), options, run.metrics.at(key));
  return 0;
}

}  // namespace

void add_curve(CLI::App& app, Action& action) {
  auto* command = app.add_subcommand("curve", "Plot a metric of a run in the terminal");
  auto options = std::make_shared<Options>();
  command->add_option("run", options->run, "Id, name, @last or @best:KEY")
      ->type_name("RUN")
      ->required();
  command->add_option("key", options->key, "The metric: val.auc")->type_name("KEY")->required();
  command
      ->add_option(
          "--x", options->x,
          "Horizontal axis: step or epoch (default: epoch where it tells the points apart)")
      ->check(CLI::IsMember({"step", "epoch"}));
  command->add_option("--height", options->height, "Lines of the plot")
      ->check(CLI::Range(3, 200))
      ->capture_default_str();
  command->add_flag("--log", options->log, "Logarithmic values");
  command->add_flag("--json", options->json, "The points as JSON");
  add_tracker_option(*command, options->database);
  command->footer("Example:\n  bcx curve @last val.auc");
  command->callback([options, &action] { action = [options] { return show_curve(*options); }; });
}

}  // namespace bcx::cli
