// Stored predictions of runs, joined by sample.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "eval/compare.h"
#include "tracker/reader.h"

namespace bcx::report {

/// A run and the final evaluation of it that is looked at.
struct ComparedRun {
  tracker::RunShown run;
  std::vector<std::string> classes;
  int positive = 1;
  std::string patient;  ///< the attribute that groups are
  tracker::EvaluationShown evaluation;
  std::vector<tracker::PredictionShown> predictions;  ///< by rising sample id
};

/// `part`: test or validation; empty: test when every run has one, else validation. The newest
/// final evaluation without test-time augmentation. Throws bcx::Error (data) naming a run without.
std::vector<ComparedRun> load_runs(const tracker::Reader& reader,
                                   const std::vector<tracker::RunShown>& runs,
                                   const std::string& part);

/// The same of one run; none when it has no such evaluation.
std::optional<ComparedRun> load_run(const tracker::Reader& reader, const tracker::RunShown& run,
                                    const std::string& part);

/// Why two runs cannot be compared, in words: other classes, or other samples and how many. None:
/// they can.
std::optional<std::string> obstacle(const ComparedRun& first, const ComparedRun& other);

/// The predictions as the library compares them, in the order of sample ids.
eval::Contender contender_of(const ComparedRun& run);

/// A parameter whose values differ between the sides: `key`, and every value of each side.
struct ParamDifference {
  std::string key, first, second;
};
std::vector<ParamDifference> differing_params(const std::vector<ComparedRun>& first,
                                              const std::vector<ComparedRun>& second);

}  // namespace bcx::report
