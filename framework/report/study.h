// One run with everything that a report says about it, read once.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "eval/intervals.h"
#include "report/compared_runs.h"
#include "report/fold_runs.h"

namespace bcx::report {

/// The final predictions, and what follows from them.
struct Tested {
  ComparedRun compared;
  eval::Contender contender;
  std::vector<eval::Label> decisions;                   ///< aligned with compared.predictions
  std::vector<std::pair<std::string, double>> metrics;  ///< eval::named_metrics(), bare names
  eval::Uncertainty uncertainty;
  eval::PatientPredictions patients;  ///< empty when no patients are known

  bool two_classes() const { return compared.classes.size() == 2; }
  /// The value of a figure, NaN where it is undefined.
  double figure(std::string_view name) const;
  /// Its intervals; nullptr without any.
  const eval::FigureWithIntervals* intervals(std::string_view name) const;
  /// Probability of class `of_class` for sample i.
  double probability(std::size_t i, int of_class) const;
};

/// What the audit found, as it was stored with the split.
struct AuditFinding {
  std::string name, key, text;
  std::vector<std::string> examples;
  bool allowed = false;
};

struct Study {
  tracker::RunShown run;
  std::string config_source;
  std::optional<tracker::SplitShown> split;
  std::vector<AuditFinding> findings;
  std::vector<tracker::EvaluationShown> evaluations;
  std::vector<tracker::PluginRow> plugins;
  std::vector<tracker::ArtifactRow> artifacts;
  std::vector<std::pair<std::string, std::string>> system;
  std::optional<Tested> tested;  ///< none: the run has no final predictions of the part

  bool has_stamp(std::string_view name) const;
  bool is_folds() const { return report::is_folds(run); }  ///< made of one run per fold
  /// Not an ensemble, nor an evaluation on other data.
  bool was_trained() const;
  bool is_breakhis() const;  ///< by the source, or the samples' names
};

/// `part` as in load_runs(): "test" falls back to validation when the run has no test part.
Study study_of(const tracker::Reader& reader, const tracker::RunShown& run, const std::string& part,
               const eval::BootstrapOptions& options);

/// Patients, or images where no patients are known: `patient`, `case`, ...
std::string unit_of(const Tested& tested);

}  // namespace bcx::report
