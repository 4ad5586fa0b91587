// Which predictions a person should look at.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "eval/predictions.h"

namespace bcx::eval {

struct Gallery {
  std::string name;                  ///< "error", "uncertain", "right-0" (by the class's index)
  std::vector<std::size_t> samples;  ///< indexes into the outcomes, the first to look at first
};

/// At most `count` of each, of probabilities: the most confident errors (by the probability of the
/// class decided on), the least certain (nearest to the threshold, or with the first two classes
/// closest together), and for each class the surest that are right. Ties stay in their order.
std::vector<Gallery> galleries(const Outcomes& outcomes, const DecisionRule& rule,
                               std::size_t count);

}  // namespace bcx::eval
