#include "report/compared_runs.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/error.h"
#include "base/few.h"
#include "base/text.h"
#include "eval/recorded_predictions.h"
#include "tracker/run_diff.h"

namespace bcx::report {
namespace {

using tracker::EvaluationShown;
using tracker::Reader;
using tracker::RunShown;

std::optional<EvaluationShown> final_evaluation(const Reader& reader, const RunShown& run,
                                                const std::string& part) {
  std::optional<EvaluationShown> newest;
  for (auto& one : reader.evaluations(run.id)) {
    const auto& row = one.row;
    if (row.part == part && row.purpose == "final" && row.tta == 1 &&
        (!newest || one.id > newest->id))
      newest = std::move(one);
  }
  return newest;
}

std::string common_part(const Reader& reader, const std::vector<RunShown>& runs) {
  const bool all = std::all_of(runs.begin(), runs.end(), [&](const RunShown& run) {
    return final_evaluation(reader, run, "test").has_value();
  });
  return all ? "test" : "validation";
}

std::set<std::uint64_t> ids_of(const ComparedRun& run) {
  std::set<std::uint64_t> ids;
  for (const auto& one : run.predictions) ids.insert(one.sample);
  return ids;
}

std::string joined(const std::set<std::string>& values) {
  return join(std::vector<std::string>(values.begin(), values.end()), ", ");
}

}  // namespace

std::optional<ComparedRun> load_run(const Reader& reader, const RunShown& run,
                                    const std::string& part) {
  const auto evaluation = final_evaluation(reader, run, part);
  const auto split = reader.split(run.id);
  if (!evaluation || !split) return std::nullopt;
  ComparedRun loaded{run,
                     split->dataset.classes,
                     split->dataset.positive,
                     split->dataset.patient,
                     *evaluation,
                     reader.predictions(evaluation->id)};
  std::sort(loaded.predictions.begin(), loaded.predictions.end(),
            [](const auto& a, const auto& b) { return a.sample < b.sample; });
  const auto classes = static_cast<std::int64_t>(loaded.classes.size());
  for (const auto& one : loaded.predictions)
    if (one.target < 0 || one.target >= classes || std::ssize(one.logits) != classes)
      throw Error(
          ExitCode::data,
          {fmt::format("a prediction of the run {} fits no sample of its data set", run.short_id),
           printable(run.name), ""});
  return loaded;
}

std::vector<ComparedRun> load_runs(const Reader& reader, const std::vector<RunShown>& runs,
                                   const std::string& part) {
  const auto wanted = part.empty() ? common_part(reader, runs) : part;
  std::vector<ComparedRun> loaded;
  for (const auto& run : runs) {
    auto one = load_run(reader, run, wanted);
    if (!one)
      throw Error(ExitCode::data, {fmt::format("the run {} has no final predictions of its {} part",
                                               run.short_id, wanted),
                                   printable(run.name), "runs that finished have"});
    loaded.push_back(std::move(*one));
  }
  return loaded;
}

std::optional<std::string> obstacle(const ComparedRun& first, const ComparedRun& other) {
  const auto& a = first.run.short_id;
  const auto& b = other.run.short_id;
  if (first.classes != other.classes || first.positive != other.positive)
    return fmt::format("{} tells {} apart, {} tells {}", a, few(first.classes), b,
                       few(other.classes));
  const auto ids_a = ids_of(first), ids_b = ids_of(other);
  std::vector<std::uint64_t> shared;
  std::set_intersection(ids_a.begin(), ids_a.end(), ids_b.begin(), ids_b.end(),
                        std::back_inserter(shared));
  if (shared.size() != ids_a.size() || shared.size() != ids_b.size())
    return fmt::format("different {} samples: {} only in {}, {} only in {}, {} in both",
                       first.evaluation.row.part, grouped(std::ssize(ids_a) - std::ssize(shared)),
                       a, grouped(std::ssize(ids_b) - std::ssize(shared)), b,
                       grouped(std::ssize(shared)));
  for (std::size_t i = 0; i < first.predictions.size(); ++i) {
    const auto& one = first.predictions[i];
    const auto& two = other.predictions[i];
    if (one.target != two.target || one.group != two.group)
      return fmt::format("{} has another class or another patient in {} than in {}",
                         printable(one.name), b, a);
  }
  return std::nullopt;
}

eval::Contender contender_of(const ComparedRun& run) {
  const auto predictions = eval::recorded_predictions(run.predictions, run.classes.size());
  const bool two = predictions.classes == 2;
  const double stored = run.evaluation.row.temperature.value_or(1.0);
  return {eval::outcomes_of(predictions, stored > 0.0 ? stored : 1.0),
          {two ? run.evaluation.row.threshold_value : std::nullopt, run.positive}};
}

std::vector<ParamDifference> differing_params(const std::vector<ComparedRun>& first,
                                              const std::vector<ComparedRun>& second) {
  std::vector<RunShown> runs;
  for (const auto* side : {&first, &second})
    for (const auto& one : *side) runs.push_back(one.run);
  std::vector<ParamDifference> differences;
  for (const auto& one : tracker::parameter_differences(runs)) {
    std::set<std::string> a, b;
    for (std::size_t i = 0; i < runs.size(); ++i)
      (i < first.size() ? a : b).insert(one.values[i].value_or("-"));
    if (a != b) differences.push_back({one.key, joined(a), joined(b)});
  }
  return differences;
}

}  // namespace bcx::report
