// Whether a difference is established, in words.
#pragma once

#include <string>

#include "eval/compare.h"

namespace bcx::report {

/// `established`, `not established`, `not established (too few patients)`
const char* word_of(eval::Verdict verdict);

/// `B is better by 0.031 in auc: established`; by the figure's own direction.
std::string in_words(const eval::FigureDifference& figure, const std::string& first,
                     const std::string& second);

}  // namespace bcx::report
