// Whether one model is better than another on the same test samples.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "eval/agreement.h"
#include "eval/bootstrap.h"
#include "eval/predictions.h"

namespace bcx::eval {

/// One model's predictions and how it decides.
struct Contender {
  Outcomes outcomes;
  DecisionRule rule;
};

enum class Verdict {
  established,      ///< every interval of the difference excludes 0
  not_established,  ///< at least one does not: the data allow no difference, or the other sign
  too_few,          ///< fewer than fewest_for_interval patients in a class
};

/// One figure of both sides, and of second less first with intervals by patient.
struct FigureDifference {
  std::string name;
  double first = 0.0, second = 0.0;  ///< means over the side's contenders
  BootstrapFigure difference;
  std::optional<Interval> small_sample;  ///< of auc and accuracy: t, see small_sample.h
  Verdict verdict = Verdict::not_established;
};

/// Two models on the same samples; of several on a side the first stands for it.
struct Agreement {
  Metric share, kappa;
  std::optional<McNemar> mcnemar;
  std::optional<DeLong> delong;  ///< of two classes
};

struct Comparison {
  bool by_patient = false;  ///< false: no patients are known, images were drawn
  std::int64_t clusters = 0, scarcest = 0;
  double quantum = 0.0;  ///< see Clusters
  std::vector<FigureDifference> figures;
  Agreement agreement;
};

/// Compares the means of two sides of one or more contenders (seeds of one experiment), all of them
/// on the same samples in the same order. Intervals are about these samples' patients and these
/// trained models: what another training would give is not in them.
/// Throws std::invalid_argument when a side is empty, or targets, groups or classes differ.
Comparison compare(std::span<const Contender> first, std::span<const Contender> second,
                   const BootstrapOptions& options = {});

/// Compares two sides of cross-validation: `first[i]` and `second[i]` are about the same fold, whose
/// samples no other fold has. Figures are means over the folds, as scores of different models have
/// no common scale; patients are drawn from all folds at once. A figure that a fold lacks (an AUC
/// of one class) is undefined. Agreement and McNemar's test are of all decisions, DeLong's test of
/// nothing. Throws std::invalid_argument when the sides differ in folds, or a fold in samples.
Comparison compare_folds(std::span<const Contender> first, std::span<const Contender> second,
                         const BootstrapOptions& options = {});

}  // namespace bcx::eval
