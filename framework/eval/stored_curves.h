// The curves that a tracker keeps of an evaluation.
#pragma once

#include <string>
#include <vector>

#include "eval/predictions.h"

namespace bcx::eval {

/// Points of one curve, x and y of equal length.
struct StoredCurve {
  std::string kind;  ///< calibration | roc | pr | decision
  std::string x_name, y_name;
  std::vector<double> x, y;
};

/// `calibration` (confidence, accuracy; empty bins left out), and of two classes `roc`, `pr` and
/// `decision`, of the positive class: curves.h. Without what is undefined: no ROC curve of one
/// class.
std::vector<StoredCurve> stored_curves(const Outcomes& outcomes, int positive);

}  // namespace bcx::eval
