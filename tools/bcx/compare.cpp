// `bcx compare`: whether one run is better than another on the same test samples.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/table.h"
#include "base/text.h"
#include "commands.h"
#include "compare_answer.h"
#include "json_text.h"
#include "print_coverage.h"
#include "report/verdict.h"
#include "tracker_text.h"

namespace bcx::cli {
namespace {

using eval::Verdict;
using Side = std::vector<report::ComparedRun>;

constexpr std::array alone_figures{
    "auc",         "accuracy",    "majority_baseline", "balanced_accuracy",
    "sensitivity", "specificity", "patient.accuracy",  "patient.auc"};

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

void print_configuration(const CompareAnswer& found) {
  Table table({{"parameter", Align::left, 1}, {"A", Align::left, 2}, {"B", Align::left, 2}});
  for (const auto& one : report::differing_params(found.first, found.second))
    table.add({one.key, one.first, one.second});
  if (table.empty())
    fmt::print("\nthe configurations do not differ\n");
  else
    fmt::print("\n{}", table.text(terminal_width()));
}

void print_samples(const CompareAnswer& found) {
  const auto& one = found.first.front();
  const auto& comparison = *found.comparison;
  fmt::print("\n{} part{}: {} images", one.evaluation.row.part,
             found.folds ? fmt::format(" of {} folds", found.first.size()) : "",
             grouped(found.images()));
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

void print_figures(const CompareAnswer& found, const CompareOptions& options) {
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
               interval ? interval_text(one.small_sample) : "", report::word_of(one.verdict)});
  }
  fmt::print("\n{}", table.text(terminal_width()));
  if (found.comparison->by_patient) print_coverage(found.comparison->scarcest);
}

void print_agreement(const CompareAnswer& found) {
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

/// Figures of recognised patients must not be read as those of new ones.
void print_leaks(const CompareAnswer& found) {
  for (const auto* side : {&found.first, &found.second})
    for (const auto& one : *side)
      for (const auto& stamp : one.run.stamps)
        if (stamp.name == "LEAKY")
          fmt::print(
              "{} is LEAKY: it was trained on patients that it is tested on, and its figures "
              "say nothing about new ones\n",
              one.run.short_id);
}

/// A column for each run; intervals are each run's own and compare nothing.
void print_alone(const CompareAnswer& found) {
  std::vector<Column> columns{{"each on its own samples", Align::left, 0}};
  std::vector<std::string> images{"images"}, patients{"patients"}, fewest{"of the scarcer class"};
  for (std::size_t i = 0; i < found.alone.size(); ++i) {
    const auto& one = found.alone[i];
    columns.push_back(
        {fmt::format("{} {}", one.of_first ? 'A' : 'B', one.run.run.short_id), Align::left, 1});
    images.push_back(grouped(std::ssize(one.run.predictions)));
    const auto& u = one.uncertainty;
    patients.push_back(u.by_patient ? grouped(u.clusters) : "unknown");
    fewest.push_back(!u.by_patient
                         ? "unknown"
                         : grouped(u.scarcest) + (u.figures.empty() ? ": no intervals" : ""));
  }
  Table table(columns);
  table.add(images);
  table.add(patients);
  table.add(fewest);
  for (const char* name : alone_figures) {
    std::vector<std::string> row{name};
    for (const auto& one : found.alone) {
      const auto value = std::find_if(one.metrics.begin(), one.metrics.end(),
                                      [&](const auto& metric) { return metric.first == name; });
      std::string text = value == one.metrics.end() ? "-" : number_text(value->second);
      if (const auto* interval = interval_of(one, name); interval && interval->bca)
        text += fmt::format(" ({} to {})", number_text(interval->bca->low),
                            number_text(interval->bca->high));
      row.push_back(text);
    }
    table.add(row);
  }
  fmt::print(
      "\n{}in parentheses: 95 % BCa by patient, of each run alone; where they overlap, and "
      "where not, compares nothing\n",
      table.text(terminal_width()));
}

void print(const CompareAnswer& found, const CompareOptions& options) {
  print_side('A', found.first);
  print_side('B', found.second);
  print_configuration(found);
  if (found.obstacle) {
    fmt::print("\nnot comparable: {}\n", *found.obstacle);
    print_alone(found);
    print_leaks(found);
    return;
  }
  print_samples(found);
  print_figures(found, options);
  print_agreement(found);
  fmt::print("\n{}\n", report::in_words(*figure_of(*found.comparison, options.metric), "A", "B"));
  if (found.folds)
    fmt::print(
        "(figures are means over the folds; folds share training images, and their spread is "
        "no part of the intervals)\n");
  fmt::print("(these trained models on these patients; {} resamples, seed {})\n",
             grouped(options.bootstrap), options.seed);
  print_leaks(found);
}

int compare(const CompareOptions& options) {
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
  auto options = std::make_shared<CompareOptions>();
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
