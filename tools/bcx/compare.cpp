// `bcx compare`: whether one run is better than another on the same test samples.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/table.h"
#include "base/text.h"
#include "commands.h"
#include "compare_runs.h"
#include "coverage_text.h"
#include "tracker_text.h"

namespace bcx::cli {
namespace {

using eval::Comparison;
using eval::FigureDifference;
using eval::Verdict;
using nlohmann::ordered_json;
using Side = std::vector<ComparedRun>;

struct Options {
  std::string database, part, metric = "auc";
  std::vector<std::string> runs, against;
  std::int64_t bootstrap = 10'000;
  std::uint64_t seed = 1;
  bool json = false;
};

/// Everything that is found out, before it is written as text or JSON.
struct Answer {
  Side first, second;
  std::optional<std::string> obstacle;
  std::optional<Comparison> comparison;
};

const char* word_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::established:
      return "established";
    case Verdict::not_established:
      return "not established";
    case Verdict::too_few:
      return "not established (too few patients)";
  }
  return "";
}

const FigureDifference* figure_of(const Comparison& comparison, const std::string& name) {
  for (const auto& one : comparison.figures)
    if (one.name == name) return &one;
  return nullptr;
}

std::vector<eval::Contender> contenders_of(const Side& side) {
  std::vector<eval::Contender> contenders;
  for (const auto& one : side) contenders.push_back(contender_of(one));
  return contenders;
}

Answer answer(const Options& options) {
  auto first = options.runs, second = options.against;
  if (second.empty() && first.size() == 2) {
    second = {first.back()};
    first.pop_back();
  }
  if (first.empty() || second.empty())
    throw Error(ExitCode::usage, {"expected two runs", "bcx compare",
                                  "bcx compare A B, or bcx compare A A2 --against B B2"});
  const tracker::Reader reader(tracker_path(options.database));
  std::vector<tracker::RunShown> runs;
  for (const auto& word : first) runs.push_back(open_run(reader, word));
  for (const auto& word : second) runs.push_back(open_run(reader, word));
  auto loaded = load_runs(reader, runs, options.part);
  Answer result;
  for (const auto& one : loaded)
    if (!result.obstacle) result.obstacle = obstacle(loaded.front(), one);
  const auto middle = loaded.begin() + std::ssize(first);
  result.first.assign(loaded.begin(), middle);
  result.second.assign(middle, loaded.end());
  if (!result.obstacle)
    result.comparison = eval::compare(
        contenders_of(result.first), contenders_of(result.second),
        {.resamples = options.bootstrap, .seed = options.seed, .level = 0.95, .threads = 0});
  if (result.comparison && !figure_of(*result.comparison, options.metric)) {
    std::vector<std::string> names;
    for (const auto& one : result.comparison->figures) names.push_back(one.name);
    throw Error(ExitCode::usage, {fmt::format("no figure \"{}\"", printable(options.metric)),
                                  "--metric", did_you_mean(options.metric, names)});
  }
  return result;
}

std::string signed_text(double value) {
  return fmt::format("{:+.4g}", value);
}

std::string interval_text(const std::optional<eval::Interval>& interval) {
  return interval ? signed_text(interval->low) + " to " + signed_text(interval->high) : "";
}

void print_side(char letter, const Side& side) {
  for (const auto& one : side) {
    const auto stamps = stamps_text(one.run);
    fmt::print("{}  {}  {}, seed {}, look {}{}\n", letter, one.run.short_id,
               printable(one.run.name), one.run.seed, one.evaluation.look,
               stamps.empty() ? "" : "  " + printable(stamps));
  }
}

void print_configuration(const Answer& found) {
  Table table({{"parameter", Align::left, 1}, {"A", Align::left, 2}, {"B", Align::left, 2}});
  for (const auto& one : differing_params(found.first, found.second))
    table.add({one.key, one.first, one.second});
  if (table.empty())
    fmt::print("\nthe configurations do not differ\n");
  else
    fmt::print("\n{}", table.text(terminal_width()));
}

void print_samples(const Answer& found) {
  const auto& one = found.first.front();
  const auto& comparison = *found.comparison;
  fmt::print("\n{} part: {} images", one.evaluation.row.part, grouped(std::ssize(one.predictions)));
  if (comparison.by_patient)
    fmt::print(
        " of {} patients ({}), {} in the scarcest class; one of them = {:.1f} points of its "
        "recall",
        grouped(comparison.clusters), printable(one.patient), comparison.scarcest,
        100.0 * comparison.quantum);
  else
    fmt::print("; no patients are known, so that intervals are too narrow");
  fmt::print("\n");
}

void print_figures(const Answer& found, const Options& options) {
  constexpr std::array shown{"auc",         "accuracy",    "balanced_accuracy", "sensitivity",
                             "specificity", "patient.auc", "patient.accuracy",  "log_loss"};
  Table table({{"figure", Align::left, 0},
               {"A", Align::right, 0},
               {"B", Align::right, 0},
               {"B - A", Align::right, 0},
               {"95 % BCa", Align::left, 1},
               {"95 % percentile", Align::left, 2},
               {"95 % small sample", Align::left, 2},
               {"difference", Align::left, 1}});
  for (const auto& one : found.comparison->figures) {
    const bool wanted = std::find(shown.begin(), shown.end(), one.name) != shown.end();
    if (!wanted && one.name != options.metric) continue;
    const bool interval = one.verdict != Verdict::too_few;
    table.add({one.name, number_text(one.first), number_text(one.second),
               signed_text(one.difference.estimate),
               interval ? interval_text(one.difference.bca) : "",
               interval ? interval_text(one.difference.percentile) : "",
               interval ? interval_text(one.small_sample) : "", word_of(one.verdict)});
  }
  fmt::print("\n{}", table.text(terminal_width()));
  if (found.comparison->by_patient) fmt::print("{}", coverage_text(found.comparison->scarcest));
}

void print_agreement(const Answer& found) {
  const auto& agreement = found.comparison->agreement;
  if (agreement.share)
    fmt::print("\nsame decision on {:.1f} % of the images", 100.0 * *agreement.share);
  if (agreement.kappa) fmt::print(", kappa {}", number_text(*agreement.kappa));
  fmt::print("\n");
  if (const auto& test = agreement.mcnemar)
    fmt::print("McNemar: {} right in A alone, {} in B alone; exact p {:.3g}, mid-p {:.3g}\n",
               test->only_first, test->only_second, test->exact, test->mid_p);
  if (agreement.delong) fmt::print("DeLong: p {:.3g}\n", agreement.delong->p);
  fmt::print("both assume independent images and decide nothing here\n");
}

/// `B is better by 0.031 in auc: established`, and why not where it is not.
std::string in_words(const FigureDifference& figure) {
  const double difference = figure.difference.estimate;
  if (std::isnan(difference)) return figure.name + " is undefined: not established";
  if (difference == 0.0) return "A and B have the same " + figure.name + ": not established";
  const bool second = (difference > 0) != tracker::lower_is_better(figure.name);
  return fmt::format("{} is better by {} in {}: {}", second ? "B" : "A",
                     number_text(std::abs(difference)), figure.name, word_of(figure.verdict));
}

/// Figures of recognised patients must not be read as those of new ones.
void print_leaks(const Answer& found) {
  for (const auto* side : {&found.first, &found.second})
    for (const auto& one : *side)
      for (const auto& stamp : one.run.stamps)
        if (stamp.name == "LEAKY")
          fmt::print(
              "{} is LEAKY: it was trained on patients that it is tested on, and its figures "
              "say nothing about new ones\n",
              one.run.short_id);
}

void print(const Answer& found, const Options& options) {
  print_side('A', found.first);
  print_side('B', found.second);
  print_configuration(found);
  if (found.obstacle) {
    fmt::print("\nnot comparable: {}\n", *found.obstacle);
    print_leaks(found);
    return;
  }
  print_samples(found);
  print_figures(found, options);
  print_agreement(found);
  fmt::print("\n{}\n", in_words(*figure_of(*found.comparison, options.metric)));
  fmt::print("(these trained models on these patients; {} resamples, seed {})\n",
             grouped(options.bootstrap), options.seed);
  print_leaks(found);
}

ordered_json number_json(double value) {
  return std::isfinite(value) ? ordered_json(value) : ordered_json(nullptr);
}

ordered_json interval_json(const std::optional<eval::Interval>& interval) {
  if (!interval) return nullptr;
  return ordered_json::array({interval->low, interval->high});
}

ordered_json side_json(const Side& side) {
  auto list = ordered_json::array();
  for (const auto& one : side) {
    list.push_back({{"id", one.run.id}, {"name", one.run.name}, {"seed", one.run.seed}});
    auto& stamps = list.back()["stamps"] = ordered_json::array();
    for (const auto& stamp : one.run.stamps) stamps.push_back(stamp.name);
    list.back()["look"] = one.evaluation.look;
  }
  return list;
}

ordered_json figures_json(const Comparison& comparison) {
  auto json = ordered_json::object();
  for (const auto& one : comparison.figures) {
    const bool interval = one.verdict != Verdict::too_few;
    json[one.name] = {
        {"a", number_json(one.first)},
        {"b", number_json(one.second)},
        {"difference", number_json(one.difference.estimate)},
        {"percentile", interval ? interval_json(one.difference.percentile) : nullptr},
        {"bca", interval ? interval_json(one.difference.bca) : nullptr},
        {"small_sample", interval ? interval_json(one.small_sample) : nullptr},
        {"verdict", one.verdict == Verdict::established ? "established" : "not_established"},
        {"too_few_patients", one.verdict == Verdict::too_few}};
  }
  return json;
}

ordered_json agreement_json(const eval::Agreement& agreement) {
  auto json = ordered_json::object();
  json["share"] = agreement.share ? ordered_json(*agreement.share) : nullptr;
  json["kappa"] = agreement.kappa ? ordered_json(*agreement.kappa) : nullptr;
  if (const auto& test = agreement.mcnemar)
    json["mcnemar"] = {{"only_a", test->only_first},
                       {"only_b", test->only_second},
                       {"exact", test->exact},
                       {"mid_p", test->mid_p},
                       {"assumes", "independent images"}};
  if (const auto& test = agreement.delong)
    json["delong"] = {{"standard_error", test->standard_error},
                      {"z", number_json(test->z)},
                      {"p", test->p},
                      {"assumes", "independent images"}};
  return json;
}

ordered_json answer_json(const Answer& found, const Options& options) {
  ordered_json json{{"a", side_json(found.first)}, {"b", side_json(found.second)}};
  json["configuration"] = ordered_json::object();
  for (const auto& one : differing_params(found.first, found.second))
    json["configuration"][one.key] = {{"a", one.first}, {"b", one.second}};
  json["part"] = found.first.front().evaluation.row.part;
  json["metric"] = options.metric;
  if (found.obstacle) {
    json["verdict"] = "not_comparable";
    json["reason"] = *found.obstacle;
    return json;
  }
  const auto& comparison = *found.comparison;
  const auto& figure = *figure_of(comparison, options.metric);
  json["verdict"] = figure.verdict == Verdict::established ? "established" : "not_established";
  json["reason"] = in_words(figure);
  json["samples"] = found.first.front().predictions.size();
  json["by"] = comparison.by_patient ? "patient" : "sample";
  json["clusters"] = comparison.clusters;
  json["scarcest_class"] = comparison.scarcest;
  json["quantum"] = number_json(comparison.quantum);
  json["figures"] = figures_json(comparison);
  json["agreement"] = agreement_json(comparison.agreement);
  json["resamples"] = options.bootstrap;
  json["seed"] = options.seed;
  return json;
}

int compare(const Options& options) {
  const auto found = answer(options);
  if (options.json)
    fmt::print("{}\n", dump(answer_json(found, options)));
  else
    print(found, options);
  return 0;
}

}  // namespace

void add_compare(CLI::App& app, Action& action) {
  auto* command = app.add_subcommand("compare", "Say whether one run is better than another");
  auto options = std::make_shared<Options>();
  command->add_option("runs", options->runs, "Two runs; or one side's, with --against")
      ->type_name("RUN")
      ->required();
  command
      ->add_option("--against", options->against, "The other side's runs (seeds of one experiment)")
      ->type_name("RUN");
  command->add_option("--metric", options->metric, "The figure that the verdict is about [auc]")
      ->type_name("NAME");
  command->add_option("--part", options->part, "test or validation [test, if all runs have it]")
      ->check(CLI::IsMember({"test", "validation"}));
  command->add_option("--bootstrap", options->bootstrap, "Resamples of the patients [10000]")
      ->type_name("N")
      ->check(CLI::Range(std::int64_t{100}, std::int64_t{1'000'000}));
  command->add_option("--seed", options->seed, "Of the resamples [1]");
  command->add_flag("--json", options->json, "Everything, as JSON");
  add_tracker_option(*command, options->database);
  command->footer("Example:\n  bcx compare densenet201 resnet50 --metric patient.auc");
  command->callback([options, &action] { action = [options] { return compare(*options); }; });
}

}  // namespace bcx::cli
