#include "compare_answer.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"
#include "folds.h"
#include "tracker_text.h"

namespace bcx::cli {
namespace {

using Side = std::vector<report::ComparedRun>;

std::vector<eval::Contender> contenders_of(const Side& side) {
  std::vector<eval::Contender> contenders;
  for (const auto& one : side) contenders.push_back(report::contender_of(one));
  return contenders;
}

eval::BootstrapOptions bootstrap_of(const CompareOptions& options) {
  return {.resamples = options.bootstrap, .seed = options.seed, .level = 0.95, .threads = 0};
}

std::vector<Alone> each_alone(const CompareAnswer& found, const CompareOptions& options) {
  std::vector<Alone> all;
  for (const auto* side : {&found.first, &found.second})
    for (const auto& one : *side) {
      const auto [outcomes, rule] = report::contender_of(one);
      all.push_back({one, side == &found.first, eval::named_metrics(outcomes, "", {.rule = rule}),
                     eval::uncertainty_of(outcomes, rule, bootstrap_of(options))});
    }
  return all;
}

/// The runs that a word means: one, or the folds of a run that is made of them.
std::vector<tracker::RunShown> runs_of(const tracker::Reader& reader, const std::string& word,
                                       bool& folds) {
  auto run = open_run(reader, word);
  folds = is_folds(run);
  if (!folds) return {std::move(run)};
  auto runs = fold_runs(reader, run);
  if (runs.empty())
    throw Error(ExitCode::data, {fmt::format("the run {} has no folds yet", run.short_id),
                                 printable(run.name), "`bcx resume` goes on with it"});
  return runs;
}

/// Folds of one side against those of the other, or runs about the same samples.
std::optional<std::string> obstacle_of(const CompareAnswer& found) {
  if (!found.folds) {
    for (const auto* side : {&found.first, &found.second})
      for (const auto& one : *side)
        if (auto reason = report::obstacle(found.first.front(), one)) return reason;
    return std::nullopt;
  }
  if (found.first.size() != found.second.size())
    return fmt::format("A has {} folds, B has {}", found.first.size(), found.second.size());
  for (std::size_t i = 0; i < found.first.size(); ++i)
    if (auto reason = report::obstacle(found.first[i], found.second[i]))
      return fmt::format("fold {}: {}", i, *reason);
  return std::nullopt;
}

CompareAnswer sides_of(const CompareOptions& options) {
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
  CompareAnswer found;
  std::size_t of_first = 0, with_folds = 0;
  for (const auto* words : {&first, &second}) {
    for (const auto& word : *words) {
      bool folds = false;
      for (auto& run : runs_of(reader, word, folds)) runs.push_back(std::move(run));
      with_folds += folds;
    }
    if (words == &first) of_first = runs.size();
  }
  found.folds = with_folds == 2 && first.size() == 1 && second.size() == 1;
  if (with_folds > 0 && !found.folds)
    throw Error(ExitCode::usage,
                {"a run that is made of folds is compared with one other such run", "bcx compare",
                 "bcx compare A B, both started with --folds; or name single folds"});
  const auto loaded = report::load_runs(reader, runs, options.part);
  const auto middle = loaded.begin() + static_cast<std::ptrdiff_t>(of_first);
  found.first.assign(loaded.begin(), middle);
  found.second.assign(middle, loaded.end());
  found.obstacle = obstacle_of(found);
  return found;
}

}  // namespace

std::int64_t CompareAnswer::images() const {
  std::int64_t count = 0;
  for (const auto& one : first) count = (folds ? count : 0) + std::ssize(one.predictions);
  return count;
}

const eval::FigureDifference* figure_of(const eval::Comparison& comparison,
                                        const std::string& name) {
  for (const auto& one : comparison.figures)
    if (one.name == name) return &one;
  return nullptr;
}

const eval::FigureWithIntervals* interval_of(const Alone& alone, const std::string& name) {
  for (const auto& one : alone.uncertainty.figures)
    if (one.name == name) return &one;
  return nullptr;
}

CompareAnswer answer(const CompareOptions& options) {
  auto found = sides_of(options);
  if (found.obstacle) {
    found.alone = each_alone(found, options);
    return found;
  }
  const auto compare = found.folds ? eval::compare_folds : eval::compare;
  found.comparison =
      compare(contenders_of(found.first), contenders_of(found.second), bootstrap_of(options));
  if (!figure_of(*found.comparison, options.metric)) {
    std::vector<std::string> names;
    for (const auto& one : found.comparison->figures) names.push_back(one.name);
    throw Error(ExitCode::usage, {fmt::format("no figure \"{}\"", printable(options.metric)),
                                  "--metric", did_you_mean(options.metric, names)});
  }
  return found;
}

}  // namespace bcx::cli
