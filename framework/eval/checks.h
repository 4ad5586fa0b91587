// Checks of arguments that several files share: internal to this library.
#pragma once

#include <span>
#include <stdexcept>

#include "eval/scores.h"

namespace bcx::eval {

inline void require_same_size(std::size_t a, std::size_t b) {
  if (a != b) throw std::invalid_argument("targets and predictions differ in number");
}

inline void require_labels(std::span<const Label> labels, int classes) {
  for (const Label label : labels)
    if (label < 0 || label >= classes) throw std::invalid_argument("a label is no class's index");
}

}  // namespace bcx::eval
