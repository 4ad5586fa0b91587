// `bcx ensemble RUN...`: the mean of several runs' predictions, as a run of its own.

#include "ensemble.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>

#include "base/error.h"
#include "base/table.h"
#include "base/text.h"
#include "eval/ensemble.h"
#include "eval/recorded_predictions.h"
#include "eval/stored_curves.h"
#include "eval/threshold.h"
#include "folds.h"
#include "json_text.h"
#include "main_metrics.h"
#include "run_text.h"
#include "tracker/run_writer.h"
#include "tracker_text.h"

namespace bcx::cli {
namespace {

using tracker::EvaluationShown;
using tracker::Reader;
using tracker::RunShown;

struct Options {
  std::string database, name = "ensemble", threshold;
  std::vector<std::string> runs;
  bool json = false;
};

/// What is averaged: the validation part, and the test part without and with test-time
/// augmentation.
struct Pass {
  std::string_view part, purpose;
  std::string prefix;  ///< of the metrics
};
const std::array<Pass, 3> passes{
    {{"validation", "final", "val"}, {"test", "final", "test"}, {"test", "tta", "test.tta"}}};

struct Member {
  RunShown run;
  tracker::SplitShown split;
  std::map<std::string, EvaluationShown> evaluations;  ///< the newest, by prefix
};

std::string place(const RunShown& run) {
  return "run " + printable(run.name);
}

Member member_of(const Reader& reader, const std::string& word) {
  Member member{open_run(reader, word), {}, {}};
  if (is_folds(member.run))
    throw Error(ExitCode::usage, {"is made of folds, each with a test part of its own",
                                  place(member.run), "name runs of one fold"});
  for (auto& one : reader.evaluations(member.run.id))
    for (const auto& pass : passes)
      if (one.row.part == pass.part && one.row.purpose == pass.purpose)
        member.evaluations.insert_or_assign(pass.prefix, one);
  auto split = reader.split(member.run.id);
  if (!split || !member.evaluations.contains("test"))
    throw Error(ExitCode::data, {"has no final predictions of its test part", place(member.run),
                                 "name runs that finished"});
  member.split = std::move(*split);
  return member;
}

/// Members of other splits have been trained on each other's test images.
void require_alike(const std::vector<Member>& members) {
  const auto& first = members.front();
  for (const auto& one : members) {
    const auto& a = first.split.dataset;
    const auto& b = one.split.dataset;
    if (a.classes != b.classes || a.positive != b.positive)
      throw Error(ExitCode::usage,
                  {fmt::format("{} tells {} apart, {} tells {}", first.run.short_id,
                               printable(join(a.classes, ", ")), one.run.short_id,
                               printable(join(b.classes, ", "))),
                   "bcx ensemble", "average runs of the same classes, in the same order"});
    if (one.split.row.hash != first.split.row.hash || a.hash != b.hash)
      throw Error(ExitCode::usage,
                  {fmt::format("{} and {} have different splits: what one tests the other may have "
                               "been trained on",
                               first.run.short_id, one.run.short_id),
                   "bcx ensemble", "average runs of one split"});
  }
}

std::vector<Member> members_of(const Reader& reader, const std::vector<std::string>& words) {
  std::vector<Member> members;
  std::set<std::string> ids;
  for (const auto& word : words) {
    members.push_back(member_of(reader, word));
    if (!ids.insert(members.back().run.id).second)
      throw Error(ExitCode::usage,
                  {"is named twice", place(members.back().run), "name each run once"});
  }
  if (members.size() < 2)
    throw Error(ExitCode::usage, {"expected two runs or more", "bcx ensemble",
                                  "bcx ensemble A B C, runs of one split"});
  require_alike(members);
  return members;
}

/// A member's predictions in the order of sample ids.
eval::Predictions predictions_of(const Reader& reader, const Member& member,
                                 const EvaluationShown& evaluation) {
  auto rows = reader.predictions(evaluation.id);
  std::sort(rows.begin(), rows.end(),
            [](const auto& a, const auto& b) { return a.sample < b.sample; });
  return eval::recorded_predictions(rows, member.split.dataset.classes.size());
}

/// One pass of the ensemble, before anything is written.
struct Averaged {
  Pass pass;
  eval::Predictions mean;
  std::int64_t views = 1;
};

/// None when a member lacks the pass, or has it with another number of views.
std::optional<Averaged> averaged(const Reader& reader, const std::vector<Member>& members,
                                 const Pass& pass) {
  std::vector<eval::EnsembleMember> each;
  std::optional<std::int64_t> views;
  for (const auto& member : members) {
    const auto found = member.evaluations.find(pass.prefix);
    if (found == member.evaluations.end()) return std::nullopt;
    const auto& row = found->second.row;
    if (views.value_or(row.tta) != row.tta) return std::nullopt;
    views = row.tta;
    each.push_back({predictions_of(reader, member, found->second), row.temperature.value_or(1.0)});
    if (each.back().predictions.ids != each.front().predictions.ids)
      throw Error(ExitCode::data, {fmt::format("has predictions of other {} samples than {}",
                                               pass.part, members.front().run.short_id),
                                   place(member.run), "average runs without train.limit_batches"});
  }
  return Averaged{pass, eval::mean_of(each), *views};
}

/// `--threshold`, else the members' rule.
std::string rule_of(const Options& options, const std::vector<Member>& members) {
  if (!options.threshold.empty()) return options.threshold;
  std::set<std::string> rules;
  for (const auto& member : members) rules.insert(member.evaluations.at("test").row.threshold);
  if (rules.size() > 1)
    throw Error(ExitCode::usage,
                {"the runs have different thresholds: " +
                     printable(join(std::vector(rules.begin(), rules.end()), ", ")),
                 "bcx ensemble", "say how the ensemble's is chosen: --threshold RULE"});
  return *rules.begin();
}

struct Decision {
  std::string rule;  ///< empty: the most probable class
  std::optional<double> threshold;
};

/// A rule is followed anew, on the averaged validation predictions.
Decision decision_of(const Options& options, const std::vector<Member>& members,
                     const std::vector<Averaged>& all, int positive) {
  if (members.front().split.dataset.classes.size() != 2) return {};
  Decision decision{rule_of(options, members), {}};
  if (decision.rule.empty()) return {};
  if (!eval::is_chosen(decision.rule)) {
    decision.threshold =
        eval::choose_threshold(decision.rule, {}, eval::Scores(std::vector<double>{}));
    return decision;
  }
  if (all.front().pass.prefix != "val")
    throw Error(ExitCode::data,
                {fmt::format("\"{}\" is chosen on the validation part, and not all of the runs "
                             "have predictions of one",
                             printable(decision.rule)),
                 "bcx ensemble", "name a number: --threshold 0.5"});
  const auto outcomes = eval::outcomes_of(all.front().mean);
  decision.threshold = eval::choose_threshold(
      decision.rule, eval::is_class(outcomes.targets, positive), outcomes.scores.scores(positive));
  return decision;
}

tracker::RunDescription description_of(const Options& options, const std::vector<Member>& members,
                                       const Decision& decision) {
  tracker::RunDescription description;
  description.name = options.name;
  description.command = command_line();
  description.git_commit = git_commit();
  description.version = BCX_VERSION;
  description.tags = {"ensemble"};
  description.seed = members.front().run.seed;
  nlohmann::json ids = nlohmann::json::array(), names = nlohmann::json::array();
  for (const auto& member : members) {
    ids.push_back(member.run.id);
    names.push_back(member.run.name + " (" + member.run.short_id + ")");
  }
  description.params = {{std::string(ensemble_key), dump(ids), true, "command line"},
                        {"ensemble.members", dump(names), true, "command line"},
                        {"ensemble.size", std::ssize(members), false, "command line"}};
  if (!decision.rule.empty())
    description.params.push_back({"evaluate.threshold", decision.rule, false,
                                  options.threshold.empty() ? "the runs'" : "--threshold"});
  if (eval::is_chosen(decision.rule))
    description.params.push_back({"threshold", *decision.threshold, false, "chosen on validation"});
  return description;
}

using Metrics = std::vector<std::pair<std::string, double>>;

/// One evaluation row with its curves; gives its metrics under the pass's prefix.
Metrics record(tracker::RunWriter& writer, const Averaged& one, const Decision& decision,
               int positive) {
  const bool test = one.pass.part == "test";
  const eval::DecisionRule rule{test ? decision.threshold : std::nullopt, positive};
  auto metrics = eval::named_metrics(one.mean, one.pass.prefix, {.rule = rule});
  tracker::EvaluationRow row;
  row.part = one.pass.part;
  row.purpose = one.pass.purpose;
  row.tta = one.views;
  row.precision = "fp32";
  row.threshold = test ? decision.rule : "";
  row.threshold_value = rule.threshold;
  for (const auto& [name, value] : metrics)
    row.metrics.emplace_back(name.substr(one.pass.prefix.size() + 1), value);
  const auto id = writer.evaluation(row, one.mean.ids, one.mean.logits);
  if (!test) return metrics;
  for (auto& curve : eval::stored_curves(eval::outcomes_of(one.mean), positive))
    writer.curve({.kind = std::move(curve.kind),
                  .evaluation = id,
                  .x_name = std::move(curve.x_name),
                  .y_name = std::move(curve.y_name),
                  .x = std::move(curve.x),
                  .y = std::move(curve.y)});
  return metrics;
}

std::string cell_of(const Metrics& metrics, const std::string& name) {
  const auto found = std::find_if(metrics.begin(), metrics.end(),
                                  [&](const auto& metric) { return metric.first == name; });
  return found == metrics.end() ? "" : fmt::format("{:.4f}", found->second);
}

/// A column for each member and one for their mean.
void print(const std::vector<Member>& members, const Metrics& metrics,
           const tracker::RunWriter& run) {
  std::vector<Column> columns{{"test", Align::left, 0}};
  for (const auto& member : members)
    columns.push_back({clip(printable(member.run.name), 20), Align::right, 1});
  columns.push_back({"ensemble", Align::right, 0});
  Table table(columns);
  for (const auto name : main_metrics) {
    std::vector<std::string> row{std::string(name)};
    for (const auto& member : members)
      row.push_back(cell_of(member.evaluations.at("test").row.metrics, row.front()));
    row.push_back(cell_of(metrics, "test." + row.front()));
    if (!row.back().empty()) table.add(row);
  }
  fmt::print("{}", table.text(terminal_width()));
  fmt::print(stderr, "\nbcx show {} shows everything about this ensemble\n", run.short_id());
}

void print_json(const Options& options, const Metrics& metrics, const RunShown& run) {
  nlohmann::ordered_json values = nlohmann::ordered_json::object();
  for (const auto& [name, value] : metrics) values[name] = value;
  nlohmann::ordered_json stamps = nlohmann::ordered_json::array();
  for (const auto& stamp : run.stamps) stamps.push_back(stamp.name);
  fmt::print("{}\n", dump({{"id", run.id},
                           {"name", options.name},
                           {"stamps", std::move(stamps)},
                           {"metrics", std::move(values)}}));
}

int ensemble(const Options& options) {
  const auto database = tracker_path(options.database);
  const Reader reader(database);
  const auto members = members_of(reader, options.runs);
  const auto& first = members.front();
  const int positive = first.split.dataset.positive;
  std::vector<Averaged> all;
  for (const auto& pass : passes)
    if (auto one = averaged(reader, members, pass)) all.push_back(std::move(*one));
  const auto decision = decision_of(options, members, all, positive);

  auto writer = tracker::RunWriter::create(database, description_of(options, members, decision));
  writer->dataset(first.split.dataset, {});  // the samples are there, and so is the split
  writer->split(first.split.row, {});
  for (const auto& member : members)
    for (const auto& stamp : member.run.stamps) writer->stamp(stamp.name, stamp.detail);
  Metrics metrics;
  for (const auto& one : all) {
    const auto some = record(*writer, one, decision, positive);
    metrics.insert(metrics.end(), some.begin(), some.end());
  }
  writer->epoch_metrics(0, 0, metrics);
  writer->finish(tracker::Status::finished, "");
  if (options.json)
    print_json(options, metrics, reader.run(writer->id()));
  else
    print(members, metrics, *writer);
  return 0;
}

}  // namespace

void add_ensemble(CLI::App& app, Action& action) {
  auto* command =
      app.add_subcommand("ensemble", "Average the predictions of runs, as a run of its own");
  auto options = std::make_shared<Options>();
  command->add_option("runs", options->runs, "Runs of one split")->type_name("RUN")->required();
  command->add_option("--name", options->name, "Of the new run [ensemble]");
  command
      ->add_option("--threshold", options->threshold,
                   "A number or a rule that the averaged validation predictions settle [the "
                   "runs' own]")
      ->type_name("RULE");
  command->add_flag("--json", options->json, "The new run's id and metrics");
  add_tracker_option(*command, options->database);
  command->footer("Example:\n  bcx ensemble resnet50 densenet201 efficientnet_lite0");
  command->callback([options, &action] { action = [options] { return ensemble(*options); }; });
}

}  // namespace bcx::cli
