// What a report says in words, on the page and in the model card alike.
#pragma once

#include <string>
#include <vector>

#include "report/study.h"

namespace bcx::report {

/// Something that the reader must know before the figures.
struct Caution {
  bool grave = false;  ///< the figures do not mean what they seem to
  std::string text;
};
/// Leaks, forced resumes, too few patients, figures that are too good, no better than the majority,
/// a test part that was looked at before, no test part at all.
std::vector<Caution> cautions(const Study& study);

/// What was not measured in this run.
std::vector<std::string> not_measured(const Study& study);

/// What no run of bcx says.
const std::vector<std::string>& limits();

/// `0.912 (0.85 to 0.95)`, the BCa interval; without one the value alone.
std::string figure_text(const Tested& tested, std::string_view name);

/// `test part, 70 images of 5 patients (case), look 3`
std::string part_text(const Study& study);

/// `threshold 0.41 (chosen on validation: youden)`, with the temperature if one was fitted.
std::string decision_text(const Tested& tested);

}  // namespace bcx::report
