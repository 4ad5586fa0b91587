#include "compare_runs.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/error.h"
#include "base/text.h"
#include "tracker_text.h"

namespace bcx::cli {
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

ComparedRun load(const Reader& reader, const RunShown& run, const std::string& part) {
  const auto evaluation = final_evaluation(reader, run, part);
  const auto split = reader.split(run.id);
  if (!evaluation || !split)
    throw Error(ExitCode::data, {fmt::format("the run {} has no final predictions of its {} part",
                                             run.short_id, part),
                                 printable(run.name), "runs that finished have"});
  ComparedRun loaded{run,
                     split->dataset.classes,
                     split->dataset.positive,
                     split->dataset.patient,
                     *evaluation,
                     reader.predictions(evaluation->id)};
  std::sort(loaded.predictions.begin(), loaded.predictions.end(),
            [](const auto& a, const auto& b) { return a.sample < b.sample; });
  for (const auto& one : loaded.predictions)
    if (one.target < 0 || one.logits.size() != loaded.classes.size())
      throw Error(
          ExitCode::data,
          {fmt::format("a prediction of the run {} fits no sample of its data set", run.short_id),
           printable(run.name), ""});
  return loaded;
}

std::set<std::uint64_t> ids_of(const ComparedRun& run) {
  std::set<std::uint64_t> ids;
  for (const auto& one : run.predictions) ids.insert(one.sample);
  return ids;
}

std::set<std::string> values_of(const std::vector<ComparedRun>& side, const std::string& key) {
  std::set<std::string> values;
  for (const auto& one : side) {
    const auto found = one.run.params.find(key);
    values.insert(found == one.run.params.end() ? "-" : value_text(found->second));
  }
  return values;
}

std::string joined(const std::set<std::string>& values) {
  return join(std::vector<std::string>(values.begin(), values.end()), ", ");
}

}  // namespace

std::vector<ComparedRun> load_runs(const Reader& reader, const std::vector<RunShown>& runs,
                                   const std::string& part) {
  const auto wanted = part.empty() ? common_part(reader, runs) : part;
  std::vector<ComparedRun> loaded;
  for (const auto& run : runs) loaded.push_back(load(reader, run, wanted));
  return loaded;
}

std::optional<std::string> obstacle(const ComparedRun& first, const ComparedRun& other) {
  const auto& a = first.run.short_id;
  const auto& b = other.run.short_id;
  if (first.classes != other.classes || first.positive != other.positive)
    return fmt::format("{} tells {} apart, {} tells {}", a, join(first.classes, ", "), b,
                       join(other.classes, ", "));
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
  eval::Predictions predictions;
  predictions.classes = static_cast<int>(run.classes.size());
  bool grouped = true;
  for (const auto& one : run.predictions) {
    predictions.targets.push_back(one.target);
    predictions.groups.push_back(one.group);
    predictions.logits.insert(predictions.logits.end(), one.logits.begin(), one.logits.end());
    grouped = grouped && !one.group.empty();
  }
  if (!grouped) predictions.groups.clear();
  const bool two = predictions.classes == 2;
  return {eval::outcomes_of(predictions),
          {two ? run.evaluation.row.threshold_value : std::nullopt, run.positive}};
}

std::vector<ParamDifference> differing_params(const std::vector<ComparedRun>& first,
                                              const std::vector<ComparedRun>& second) {
  std::set<std::string> keys;
  for (const auto* side : {&first, &second})
    for (const auto& one : *side)
      for (const auto& [key, param] : one.run.params) keys.insert(key);
  std::vector<ParamDifference> differences;
  for (const auto& key : keys) {
    const auto a = values_of(first, key), b = values_of(second, key);
    if (a != b) differences.push_back({key, joined(a), joined(b)});
  }
  return differences;
}

}  // namespace bcx::cli
