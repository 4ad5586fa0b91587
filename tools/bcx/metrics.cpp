// `bcx metrics`: the figures of anybody's predictions, without a run.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/table.h"
#include "base/text.h"
#include "commands.h"
#include "json_text.h"
#include "metrics_json.h"
#include "print_coverage.h"
#include "tracker_text.h"

namespace bcx::cli {
namespace {

constexpr double level = 0.95;

struct Options {
  std::string file, positive, group, by;
  std::optional<double> threshold;
  std::int64_t bootstrap = 0;
  std::uint64_t seed = 1;
  bool json = false;
};

eval::DecisionRule rule_of(const PredictionSet& set, const Options& options) {
  if (options.threshold && set.classes.size() != 2)
    throw Error(ExitCode::usage,
                {fmt::format("a threshold needs two classes, not {}", set.classes.size()),
                 "--threshold", ""});
  return {options.threshold, set.positive};
}

eval::Uncertainty uncertainty_of(const PredictionSet& set, const Options& options) {
  return eval::uncertainty_of(
      set.outcomes, rule_of(set, options),
      {.resamples = options.bootstrap, .seed = options.seed, .level = level, .threads = 0});
}

nlohmann::ordered_json set_json(const PredictionSet& set, const Options& options) {
  const auto rule = rule_of(set, options);
  nlohmann::ordered_json json{
      {"classes", set.classes}, {"positive", nullptr}, {"threshold", nullptr}};
  if (set.classes.size() == 2)
    json["positive"] = set.classes[static_cast<std::size_t>(set.positive)];
  if (options.threshold) json["threshold"] = *options.threshold;
  json["scores"] = set.outcomes.kind == eval::ScoreKind::probability ? "probabilities" : "ranks";
  json.update(metrics_json(set.outcomes, rule));
  if (options.bootstrap > 0)
    json["intervals"] = uncertainty_json(uncertainty_of(set, options), level);
  if (options.by.empty()) return json;
  auto& values = json["subgroups"][options.by] = nlohmann::ordered_json::object();
  for (const auto& one : subgroups_of(set, options.by))
    values[one.value] = metrics_json(one.outcomes, rule);
  return json;
}

std::string interval_text(const std::optional<eval::Interval>& interval) {
  return interval ? fmt::format("{} to {}", number_text(interval->low), number_text(interval->high))
                  : "";
}

std::string plural(std::int64_t count, const std::string& one) {
  return fmt::format("{} {}{}", grouped(count), one, count == 1 ? "" : "s");
}

std::int64_t patients_in(const eval::Outcomes& outcomes) {
  auto groups = outcomes.groups;
  std::sort(groups.begin(), groups.end());
  return std::unique(groups.begin(), groups.end()) - groups.begin();
}

/// Balanced accuracy and MCC are then what scikit-learn says, and mean little.
bool has_one_class(const eval::Outcomes& outcomes) {
  return std::adjacent_find(outcomes.targets.begin(), outcomes.targets.end(),
                            std::not_equal_to<>()) == outcomes.targets.end();
}

void print_head(const PredictionSet& set, const Options& options) {
  const auto& outcomes = set.outcomes;
  fmt::print("{}", plural(std::ssize(outcomes.targets), "image"));
  if (!outcomes.groups.empty()) fmt::print(" of {}", plural(patients_in(outcomes), "patient"));
  fmt::print(", {} classes", set.classes.size());
  if (set.classes.size() == 2)
    fmt::print(", positive: {}", printable(set.classes[static_cast<std::size_t>(set.positive)]));
  if (options.threshold) fmt::print(" from {}", shortest(*options.threshold));
  fmt::print("\n");
  if (outcomes.kind == eval::ScoreKind::rank)
    fmt::print(stderr, "scores are not probabilities: no log loss, ECE and Brier score{}\n",
               eval::is_decided(outcomes, rule_of(set, options))
                   ? ""
                   : ", and no decisions without --threshold");
}

void print_figures(const PredictionSet& set, const Options& options) {
  eval::Uncertainty uncertainty;
  if (options.bootstrap > 0) uncertainty = uncertainty_of(set, options);
  std::vector<Column> columns{{"metric", Align::left, 0}, {"value", Align::right, 0}};
  if (!uncertainty.figures.empty())
    for (const char* title : {"95 % BCa", "95 % percentile", "95 % small sample"})
      columns.push_back({title, Align::left, 1});
  Table table(columns);
  const bool one_class = has_one_class(set.outcomes);
  for (const auto& [name, value] :
       eval::named_metrics(set.outcomes, "", {.rule = rule_of(set, options)})) {
    const bool kept = one_class && (name == "balanced_accuracy" || name == "mcc");
    std::vector<std::string> row{kept ? name + " (one class)" : name, number_text(value)};
    for (const auto& one : uncertainty.figures)
      if (one.name == name)
        row.insert(row.end(), {interval_text(one.bca), interval_text(one.percentile),
                               interval_text(one.small_sample)});
    table.add(std::move(row));
  }
  fmt::print("\n{}", table.text(terminal_width()));
  if (options.bootstrap == 0) return;
  const char* unit = uncertainty.by_patient ? "patient" : "image";
  fmt::print("\n");
  if (uncertainty.figures.empty())
    fmt::print("no intervals: {} in the scarcest class, {} are needed",
               plural(uncertainty.scarcest, unit), eval::fewest_for_interval);
  else
    fmt::print("{} resamples of {}, seed {}", grouped(options.bootstrap),
               plural(uncertainty.clusters, unit), options.seed);
  if (std::isfinite(uncertainty.quantum))
    fmt::print("; one {} of the scarcest class = {:.1f} points of its recall", unit,
               100.0 * uncertainty.quantum);
  fmt::print("\n");
  if (uncertainty.by_patient) print_coverage(uncertainty.scarcest);
  if (!uncertainty.by_patient)
    fmt::print(
        "no groups are known: images of one patient would make these intervals too narrow\n");
}

void print_confusion(const PredictionSet& set, const Options& options) {
  const auto rule = rule_of(set, options);
  if (!eval::is_decided(set.outcomes, rule)) return;
  if (set.classes.size() > 12) {
    fmt::print("\n{} classes are too many for a confusion matrix here (--json has its cells)\n",
               grouped(std::ssize(set.classes)));
    return;
  }
  const eval::Confusion confusion(set.outcomes.targets, eval::decide(set.outcomes.scores, rule),
                                  set.outcomes.classes());
  std::vector<Column> columns{{"target \\ decision", Align::left, 1}};
  for (const auto& name : set.classes) columns.push_back({printable(name), Align::right, 1});
  Table table(columns);
  for (int t = 0; t < confusion.classes(); ++t) {
    std::vector<std::string> row{set.classes[static_cast<std::size_t>(t)]};
    for (int d = 0; d < confusion.classes(); ++d) row.push_back(grouped(confusion.count(t, d)));
    table.add(std::move(row));
  }
  fmt::print("\n{}", table.text(terminal_width()));
}

void print_subgroups(const PredictionSet& set, const Options& options) {
  const std::vector<std::string> shown{"accuracy",    "majority_baseline", "balanced_accuracy",
                                       "sensitivity", "specificity",       "auc"};
  std::vector<Column> columns{{printable(options.by), Align::left, 1},
                              {"images", Align::right, 0},
                              {"patients", Align::right, 0}};
  for (const auto& name : shown) columns.push_back({name, Align::right, 1});
  Table table(columns);
  for (const auto& one : subgroups_of(set, options.by)) {
    std::vector<std::string> row{
        one.value + (has_one_class(one.outcomes) ? " (one class)" : ""),
        grouped(std::ssize(one.outcomes.targets)),
        one.outcomes.groups.empty() ? "" : grouped(patients_in(one.outcomes))};
    const auto metrics = eval::named_metrics(one.outcomes, "", {.rule = rule_of(set, options)});
    for (const auto& name : shown) {
      const auto found = std::find_if(metrics.begin(), metrics.end(),
                                      [&](const auto& metric) { return metric.first == name; });
      row.push_back(found == metrics.end() ? "-" : number_text(found->second));
    }
    table.add(std::move(row));
  }
  fmt::print("\n{}", table.text(terminal_width()));
}

int metrics(const Options& options) {
  const auto sets = read_predictions(options.file, {options.positive, options.group});
  for (const auto& set : sets) {  // before anything is printed
    rule_of(set, options);
    if (!options.by.empty()) set.attribute(options.by);
  }
  if (options.json) {
    auto list = nlohmann::ordered_json::array();
    for (const auto& set : sets) list.push_back(set_json(set, options));
    fmt::print("{}\n", dump(sets.size() == 1 ? list[0] : nlohmann::ordered_json{{"cases", list}}));
    return 0;
  }
  for (std::size_t i = 0; i < sets.size(); ++i) {
    if (sets.size() > 1) fmt::print("{}case {}: ", i > 0 ? "\n" : "", i + 1);
    print_head(sets[i], options);
    print_figures(sets[i], options);
    print_confusion(sets[i], options);
    if (!options.by.empty()) print_subgroups(sets[i], options);
  }
  return 0;
}

}  // namespace

void add_metrics(CLI::App& app, Action& action) {
  auto* command =
      app.add_subcommand("metrics", "Figures and curves of predictions in a CSV or JSON file");
  auto options = std::make_shared<Options>();
  command
      ->add_option("file", options->file,
                   "Columns target, and score or score_CLASS for each class; sample, group and "
                   "attributes if there are any")
      ->type_name("FILE")
      ->required();
  command->add_option("--threshold", options->threshold, "Positive from this score on");
  command->add_option("--positive", options->positive, "The positive class")->type_name("CLASS");
  command->add_option("--group", options->group, "The column that holds patients [group]")
      ->type_name("COLUMN");
  command->add_option("--by", options->by, "Figures for each value of a column")
      ->type_name("COLUMN");
  command
      ->add_option("--bootstrap", options->bootstrap,
                   "95 % intervals from N resamples of the patients")
      ->type_name("N")
      ->check(CLI::Range(std::int64_t{100}, std::int64_t{1'000'000}));
  command->add_option("--seed", options->seed, "Of the resamples [1]");
  command->add_flag("--json", options->json, "Everything with the curves, as JSON");
  command->footer("Example:\n  bcx metrics predictions.csv --by magnification --bootstrap 10000");
  command->callback([options, &action] { action = [options] { return metrics(*options); }; });
}

}  // namespace bcx::cli
