// Choosing a decision threshold, on validation predictions and on nothing else.
#pragma once

#include <string_view>
#include <vector>

#include "eval/scores.h"

namespace bcx::eval {

/// The threshold that a rule means, for "positive when score >= threshold".
///
///   a number            that number, within [0, 1]; nothing is chosen
///   youden              the largest of sensitivity + specificity - 1 (Youden 1950); the higher
///   threshold
///                       wins a tie
///   sensitivity>=S      the highest threshold whose sensitivity is at least S, S within (0, 1]
///   specificity>=S      the lowest threshold whose specificity is at least S; infinity, nothing
///                       being positive, when no score does
///   cost=C              the least cost, a missed positive costing C > 0 and a false alarm 1; the
///                       higher threshold wins a tie; infinity when calling nothing positive is
///                       cheapest
///
/// `positives` and `scores` are the validation part's, probabilities of the positive class. Throws
/// bcx::Error: usage for a rule that is none of these, data when one has to be chosen and the part
/// does not have both kinds.
double choose_threshold(std::string_view rule, const std::vector<bool>& positives,
                        const Scores& scores);

/// Whether the rule looks at predictions.
bool is_chosen(std::string_view rule);

}  // namespace bcx::eval
