// `bcx curve RUN... KEY...`: metrics as a plot in the terminal, or as a picture in a file.

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/table.h"
#include "base/text.h"
#include "commands.h"
#include "json_text.h"
#include "tracker/plot_page.h"
#include "tracker_text.h"

namespace bcx::cli {
namespace {

using tracker::Reader;
using tracker::RunShown;

constexpr std::size_t most_series = 32;
constexpr std::int64_t columns = 1000;  // a terminal's dots, with room for the widest

struct Options {
  std::string database, x, out;
  std::vector<std::string> words;
  int height = 16;
  bool json = false, log = false;
};

/// What the words on the command line mean.
struct Asked {
  std::vector<RunShown> runs;
  std::vector<std::string> keys;  ///< in full
};

/// One line of the plot.
struct Curve {
  const RunShown* run = nullptr;
  std::string key;
  std::vector<tracker::Bucket> buckets;
};

std::vector<std::string> keys_of(const Reader& reader, const std::vector<RunShown>& runs) {
  std::vector<std::string> keys;
  for (const auto& run : runs)
    for (auto& key : reader.metric_keys(run.id))
      if (std::find(keys.begin(), keys.end(), key) == keys.end()) keys.push_back(std::move(key));
  std::sort(keys.begin(), keys.end());
  return keys;
}

/// The keys that a word may mean: itself, else those whose last part it is.
std::vector<std::string> meant(const std::vector<std::string>& keys, const std::string& word) {
  if (std::find(keys.begin(), keys.end(), word) != keys.end()) return {word};
  std::vector<std::string> endings;
  for (const auto& key : keys)
    if (key.ends_with("." + word)) endings.push_back(key);
  return endings;
}

bool is_run(const Reader& reader, const std::string& word) {
  try {
    reader.find(word);
    return true;
  } catch (const Error& error) {
    if (error.code() != ExitCode::usage) throw;
    return false;
  }
}

std::string names_of(const std::vector<RunShown>& runs) {
  if (runs.size() > 1) return fmt::format("none of the {} runs", runs.size());
  return fmt::format("run {}", printable(runs[0].name));
}

[[noreturn]] void no_such_word(const std::vector<RunShown>& runs,
                               const std::vector<std::string>& keys, const std::string& word) {
  const auto near = did_you_mean(word, keys);
  const auto has = keys.empty()       ? "there is none yet"
                   : runs.size() == 1 ? "it has " + join(keys, ", ")
                                      : "there are " + join(keys, ", ");
  throw Error(ExitCode::usage,
              {fmt::format("{} has {}metric \"{}\", and no run has that name", names_of(runs),
                           runs.size() == 1 ? "no " : "a ", printable(word)),
               "", printable(near.empty() ? has : near)});
}

/// Runs first, then keys: the first word is a run; of the others each is a metric of these runs if
/// it can be, else a run.
Asked asked_of(const Reader& reader, const std::vector<std::string>& words) {
  Asked asked;
  std::vector<std::string> others;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const bool metric = i > 0 && !meant(keys_of(reader, asked.runs), words[i]).empty();
    if (i == 0 || (!metric && is_run(reader, words[i]))) {
      auto run = open_run(reader, words[i]);
      const auto same = [&](const RunShown& one) { return one.id == run.id; };
      if (std::none_of(asked.runs.begin(), asked.runs.end(), same))
        asked.runs.push_back(std::move(run));
    } else {
      others.push_back(words[i]);
    }
  }
  const auto keys = keys_of(reader, asked.runs);
  for (const auto& word : others) {
    const auto all = meant(keys, word);
    if (all.empty()) no_such_word(asked.runs, keys, word);
    if (all.size() > 1)
      throw Error(ExitCode::usage, {fmt::format("\"{}\" may be several metrics: {}",
                                                printable(word), printable(join(all, ", "))),
                                    "", "write it in full"});
    if (std::find(asked.keys.begin(), asked.keys.end(), all[0]) == asked.keys.end())
      asked.keys.push_back(all[0]);
  }
  if (asked.keys.empty())
    throw Error(ExitCode::usage,
                {"which metric?", "",
                 keys.empty() ? "there is none yet" : "there are " + printable(join(keys, ", "))});
  return asked;
}

std::vector<Curve> curves_of(const Reader& reader, const Asked& asked) {
  std::vector<Curve> curves;
  for (const auto& key : asked.keys)
    for (const auto& run : asked.runs) {
      if (run.metrics.contains(key))
        curves.push_back({&run, key, reader.overview(run.id, key, columns)});
      else
        fmt::print(stderr, "note: {} ({}) has no {}\n", printable(run.name), run.short_id,
                   printable(key));
    }
  if (curves.size() > most_series)
    throw Error(
        ExitCode::usage,
        {fmt::format("{} curves in one plot", curves.size()), "",
         fmt::format("at most {} can be told apart: ask for fewer runs or metrics", most_series)});
  return curves;
}

nlohmann::ordered_json curve_json(const Reader& reader, const Curve& curve) {
  nlohmann::ordered_json json{
      {"run", curve.run->id}, {"name", curve.run->name}, {"key", curve.key}};
  json["points"] = nlohmann::ordered_json::array();
  for (const auto& point : reader.series(curve.run->id, curve.key))
    json["points"].push_back({{"step", point.step},
                              {"epoch", point.epoch},
                              {"value", point.value},
                              {"time", iso_time(point.time)}});
  return json;
}

/// One curve is an object, several are an array of these.
void print_json(const Reader& reader, const std::vector<Curve>& curves) {
  if (curves.size() == 1) {
    fmt::print("{}\n", dump(curve_json(reader, curves[0])));
    return;
  }
  auto json = nlohmann::ordered_json::array();
  for (const auto& curve : curves) json.push_back(curve_json(reader, curve));
  fmt::print("{}\n", dump(json));
}

/// Epochs where they tell the points of every curve apart, else steps.
bool use_epochs(const std::string& asked, const std::vector<Curve>& curves) {
  if (!asked.empty()) return asked == "epoch";
  for (const auto& curve : curves) {
    const auto& buckets = curve.buckets;
    for (std::size_t i = 1; i < buckets.size(); ++i)
      if (!(buckets[i].first_epoch > buckets[i - 1].last_epoch)) return false;
    if (buckets.empty() || !std::isfinite(buckets.front().first_epoch)) return false;
  }
  return true;
}

std::string name_of(const Curve& curve) {
  const auto stamps = stamps_text(*curve.run);
  return fmt::format("{}  {} ({}){}{}", curve.key, curve.run->name, curve.run->short_id,
                     stamps.empty() ? "" : "  ", stamps);
}

void print_figures(const Curve& curve) {
  const auto& summary = curve.run->metrics.at(curve.key);
  fmt::print("{} points; last {}", grouped(summary.count), number_text(summary.last));
  if (summary.min) fmt::print("; min {} at step {}", number_text(*summary.min), summary.min_step);
  if (summary.max) fmt::print("; max {} at step {}", number_text(*summary.max), summary.max_step);
  if (summary.nan_count > 0) fmt::print("; {} not a number", summary.nan_count);
  fmt::print("\n");
}

void print_plot(const std::vector<Curve>& curves, const std::vector<tracker::PlotSeries>& series,
                const std::string& x_name, const Options& options) {
  const int terminal = terminal_width();
  const bool colour = isatty(STDOUT_FILENO) == 1 && std::getenv("NO_COLOR") == nullptr;
  fmt::print("{}", tracker::plot(series, x_name,
                                 {.width = terminal > 0 ? terminal : 80,
                                  .height = options.height,
                                  .log = options.log,
                                  .colour = colour}));
  for (std::size_t i = 0; i < curves.size(); ++i) {
    if (curves.size() > 1) fmt::print("{} ", tracker::plot_legend(i, colour));
    print_figures(curves[i]);
  }
}

/// What all curves have in common stands above the picture.
std::string page_title(const Asked& asked) {
  if (asked.keys.size() == 1) return asked.keys[0];
  if (asked.runs.size() == 1) return asked.runs[0].name;
  return fmt::format("{} metrics of {} runs", asked.keys.size(), asked.runs.size());
}

void write_picture(const Asked& asked, const std::vector<tracker::PlotSeries>& series,
                   const std::string& x_name, const Options& options) {
  const tracker::PlotPage page{page_title(asked), x_name, options.log};
  write_atomically(options.out, options.out.ends_with(".svg") ? tracker::svg_plot(series, page)
                                                              : tracker::html_plot(series, page));
  fmt::print(stderr, "wrote {}\n", printable(options.out));
}

void check_file_name(const std::string& out) {
  if (!out.empty() && !out.ends_with(".svg") && !out.ends_with(".html"))
    throw Error(ExitCode::usage, {fmt::format("\"{}\" is no picture's name", printable(out)),
                                  "--out", "end it in .svg or .html"});
}

int show_curve(const Options& options) {
  check_file_name(options.out);
  const Reader reader(tracker_path(options.database));
  const auto asked = asked_of(reader, options.words);
  const auto curves = curves_of(reader, asked);
  if (options.json) {
    print_json(reader, curves);
    return 0;
  }
  const bool epochs = use_epochs(options.x, curves);
  std::vector<tracker::PlotSeries> series;
  for (const auto& curve : curves) {
    series.push_back(tracker::extremes(curve.buckets, epochs));
    series.back().name = name_of(curve);
  }
  const auto x_name = epochs ? "epoch" : "step";
  if (options.out.empty())
    print_plot(curves, series, x_name, options);
  else
    write_picture(asked, series, x_name, options);
  return 0;
}

}  // namespace

void add_curve(CLI::App& app, Action& action) {
  auto* command = app.add_subcommand("curve", "Plot metrics of runs");
  auto options = std::make_shared<Options>();
  command
      ->add_option("words", options->words,
                   "Runs (id, name, @last or @best:KEY), then metrics: val.auc")
      ->type_name("RUN... KEY")
      ->required();
  command
      ->add_option(
          "--x", options->x,
          "Horizontal axis: step or epoch (default: epoch where it tells the points apart)")
      ->check(CLI::IsMember({"step", "epoch"}));
  command->add_option("--height", options->height, "Lines of the plot in the terminal")
      ->check(CLI::Range(3, 200))
      ->capture_default_str();
  command->add_flag("--log", options->log, "Logarithmic values");
  auto* out = command
                  ->add_option("--out", options->out,
                               "Write a picture, FILE.svg, or a page that tells the values under "
                               "the pointer, FILE.html")
                  ->type_name("FILE");
  command
      ->add_flag("--json", options->json,
                 "Every point, as JSON: an object for one curve, an array for several")
      ->excludes(out);
  add_tracker_option(*command, options->database);
  command->footer(
      "Example:\n  bcx curve @last val.auc\n  bcx curve densenet201 resnet50 val.loss train.loss "
      "--log --out loss.html");
  command->callback([options, &action] { action = [options] { return show_curve(*options); }; });
}

}  // namespace bcx::cli
