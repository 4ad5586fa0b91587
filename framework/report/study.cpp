#include "report/study.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

namespace bcx::report {
namespace {

std::vector<AuditFinding> findings_of(const std::string& text) {
  std::vector<AuditFinding> findings;
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_array()) return findings;
  const auto string = [](const nlohmann::json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  for (const auto& one : json) {
    if (!one.is_object()) continue;
    AuditFinding finding{string(one, "name"), string(one, "key"), string(one, "text"), {}, false};
    const auto allowed = one.find("allowed");
    finding.allowed = allowed != one.end() && *allowed == true;
    const auto examples = one.find("examples");
    if (examples != one.end() && examples->is_array())
      for (const auto& example : *examples)
        if (example.is_string()) finding.examples.push_back(example.get<std::string>());
    findings.push_back(std::move(finding));
  }
  return findings;
}

Tested tested_of(ComparedRun compared, const eval::BootstrapOptions& options) {
  Tested tested{std::move(compared), {}, {}, {}, {}, {}};
  tested.contender = contender_of(tested.compared);
  const auto& [outcomes, rule] = tested.contender;
  tested.decisions = eval::decide(outcomes.scores, rule);
  tested.metrics = eval::named_metrics(outcomes, "", {.rule = rule});
  tested.uncertainty = eval::uncertainty_of(outcomes, rule, options);
  if (!outcomes.groups.empty()) tested.patients = eval::by_patient(outcomes, rule);
  return tested;
}

}  // namespace

double Tested::figure(std::string_view name) const {
  for (const auto& [key, value] : metrics)
    if (key == name) return value;
  return std::nan("");
}

const eval::FigureWithIntervals* Tested::intervals(std::string_view name) const {
  for (const auto& one : uncertainty.figures)
    if (one.name == name) return &one;
  return nullptr;
}

double Tested::probability(std::size_t i, int of_class) const {
  return contender.outcomes.scores.row(i)[static_cast<std::size_t>(of_class)];
}

bool Study::has_stamp(std::string_view name) const {
  return std::any_of(run.stamps.begin(), run.stamps.end(),
                     [&](const auto& stamp) { return stamp.name == name; });
}

bool Study::was_trained() const {
  return !run.params.contains("ensemble.runs") && !(split && split->row.method == "external");
}

bool Study::is_breakhis() const {
  if (split && split->dataset.source == "breakhis") return true;
  if (!tested) return false;
  const auto& samples = tested->compared.predictions;
  return !samples.empty() && std::all_of(samples.begin(), samples.end(), [](const auto& one) {
    return one.name.find("SOB_B_") != std::string::npos ||
           one.name.find("SOB_M_") != std::string::npos;
  });
}

Study study_of(const tracker::Reader& reader, const tracker::RunShown& run, const std::string& part,
               const eval::BootstrapOptions& options) {
  Study study;
  study.run = run;
  study.config_source = reader.config(run.id).first;
  study.split = reader.split(run.id);
  if (study.split) study.findings = findings_of(study.split->row.audit);
  study.evaluations = reader.evaluations(run.id);
  study.plugins = reader.plugins(run.id);
  study.artifacts = reader.artifacts(run.id);
  study.system = reader.system(run.id);
  auto compared = load_run(reader, run, part.empty() ? "test" : part);
  if (!compared && part.empty()) compared = load_run(reader, run, "validation");
  if (compared && !compared->predictions.empty())
    study.tested = tested_of(std::move(*compared), options);
  return study;
}

std::string unit_of(const Tested& tested) {
  if (tested.contender.outcomes.groups.empty()) return "image";
  return tested.compared.patient.empty() ? "patient" : tested.compared.patient;
}

}  // namespace bcx::report
