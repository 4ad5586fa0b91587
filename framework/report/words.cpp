#include "report/words.h"

#include <fmt/format.h>

#include <cmath>

#include "base/text.h"
#include "eval/threshold.h"
#include "report/coverage_text.h"
#include "report/html.h"

namespace bcx::report {
namespace {

/// Accuracy of honest splits of BreakHis: docs/evaluation.md.
constexpr double too_good = 0.97;

using Cautions = std::vector<Caution>;

void about_the_split(Cautions& out, const Study& study) {
  if (study.has_stamp("LEAKY"))
    out.push_back({true,
                   "LEAKY: this run was tested on patients that it was trained on. Its figures say "
                   "how well known patients are recognised, and nothing about new ones."});
  if (study.has_stamp("UNGROUPED"))
    out.push_back({true,
                   "UNGROUPED: nobody knows which images belong to one patient, so that the same "
                   "patient may be on both sides, and intervals are too narrow."});
  if (study.has_stamp("FORCED"))
    out.push_back({false,
                   "FORCED: the run was resumed although its configuration, data, plugins or "
                   "threads had changed."});
  for (const auto& one : study.findings)
    if (one.allowed && one.name != "group_overlap")
      out.push_back({false, fmt::format("Found by the audit and allowed: {} ({}).",
                                        printable(one.text), printable(one.name))});
}

void about_the_accuracy(Cautions& out, const Study& study, double accuracy, double baseline) {
  if (accuracy > too_good && study.is_breakhis())
    out.push_back({true, fmt::format("An accuracy of {} is too good to be true on BreakHis: honest "
                                     "results on new patients are 0.85 to 0.93. Look for a leak.",
                                     share_text(accuracy))});
  if (accuracy <= baseline)
    out.push_back(
        {true, fmt::format("The accuracy of {} is not above {}, that of always saying the "
                           "most frequent class.",
                           share_text(accuracy), share_text(baseline))});
}

/// Means over the folds.
void about_the_folds(Cautions& out, const Study& study) {
  out.push_back({false,
                 "This run is made of folds: its figures are means over them, and their spread is "
                 "no standard error. A report of the folds' own runs has their images."});
  const auto accuracy = study.run.metrics.find("test.accuracy");
  const auto baseline = study.run.metrics.find("test.majority_baseline");
  if (accuracy != study.run.metrics.end() && baseline != study.run.metrics.end())
    about_the_accuracy(out, study, accuracy->second.last, baseline->second.last);
}

void about_the_figures(Cautions& out, const Study& study, const Tested& tested) {
  const double accuracy = tested.figure("accuracy");
  const double baseline = tested.figure("majority_baseline");
  about_the_accuracy(out, study, accuracy, baseline);
  const auto* interval = tested.intervals("accuracy");
  if (accuracy > baseline && interval && interval->bca && interval->bca->low <= baseline)
    out.push_back({false, fmt::format("The interval of the accuracy reaches down to {}; always "
                                      "saying the most frequent class has {}.",
                                      share_text(interval->bca->low), share_text(baseline))});
}

void about_the_size(Cautions& out, const Tested& tested) {
  const auto& u = tested.uncertainty;
  const auto unit = unit_of(tested);
  if (!u.by_patient)
    out.push_back({false,
                   "No patients are known: intervals take images for independent and are too "
                   "narrow."});
  if (u.figures.empty())
    out.push_back(
        {true,
         fmt::format("No intervals: the scarcest class has {} {}{}, {} are needed. One {} "
                     "more or less is {} points of its recall.",
                     u.scarcest, unit, u.scarcest == 1 ? "" : "s", eval::fewest_for_interval, unit,
                     std::isfinite(u.quantum) ? fmt::format("{:.1f}", 100.0 * u.quantum)
                                              : std::string("all"))});
  else if (u.by_patient && u.scarcest < 20)
    out.push_back({false, fmt::format("The scarcest class has {} {}s: one of them is {:.1f} points "
                                      "of its recall, and intervals of so few cover too little.",
                                      u.scarcest, unit, 100.0 * u.quantum)});
}

void about_the_part(Cautions& out, const Study& study, const Tested& tested) {
  const auto& evaluation = tested.compared.evaluation;
  if (evaluation.row.part != "test")
    out.push_back({true,
                   "There is no test part: these are figures of the validation part, by which "
                   "the weights were chosen. They are too high."});
  else if (evaluation.look > 1)
    out.push_back({false, fmt::format("This is look number {} at this test part: whoever chooses "
                                      "among looks is fooled by the best of them.",
                                      evaluation.look)});
  if (study.run.status != "finished")
    out.push_back({false, "The run did not finish: " + study.run.status + "."});
}

bool has_attribute(const Tested& tested, std::string_view name) {
  for (const auto& one : tested.compared.predictions)
    for (const auto& [key, value] : one.attributes)
      if (key == name && !value.empty()) return true;
  return false;
}

}  // namespace

std::vector<Caution> cautions(const Study& study) {
  Cautions out;
  about_the_split(out, study);
  if (study.is_folds()) {
    about_the_folds(out, study);
    return out;
  }
  if (!study.tested) {
    out.push_back({true,
                   "There are no final predictions: this run says nothing about new images. "
                   "It is " +
                       study.run.status + "."});
    return out;
  }
  about_the_figures(out, study, *study.tested);
  about_the_size(out, *study.tested);
  about_the_part(out, study, *study.tested);
  return out;
}

std::vector<std::string> not_measured(const Study& study) {
  std::vector<std::string> out{
      "Images of another hospital, scanner, stain or preparation: all parts come from one data "
      "set.",
      "What another training would give: this is one training with one seed. `bcx compare` and "
      "several seeds say how much results move.",
      "Agreement with pathologists, and whether anybody decides better with the model than "
      "without.",
      "Whole slides: the images are fields that somebody chose."};
  if (!study.tested) return out;
  const auto& tested = *study.tested;
  for (const char* name : {"age", "sex", "ethnicity"})
    if (has_attribute(tested, name)) return out;
  out.push_back("Subgroups of patients (age, sex, origin): the data do not say.");
  if (tested.contender.outcomes.groups.empty())
    out.push_back("Anything per patient: the data do not say whose an image is.");
  const auto& row = tested.compared.evaluation.row;
  if (!row.temperature)
    out.push_back(
        "Calibrated probabilities: no temperature was fitted, they are the network's own.");
  bool augmented = false;
  for (const auto& one : study.evaluations)
    augmented |= one.row.tta > 1 && one.row.part == row.part;
  if (!augmented) out.push_back("The effect of test-time augmentation.");
  return out;
}

const std::vector<std::string>& limits() {
  static const std::vector<std::string> texts{
      "This is no medical device. Nothing here was tested or approved for any decision about a "
      "person.",
      "Intervals are about these trained weights on these patients. They do not hold for patients "
      "of another kind.",
      "Per-patient figures call a patient what most of the data called them; a patient may have "
      "both kinds of tissue.",
      "Of many figures some are good by chance. The figure that matters should be named before the "
      "run."};
  return texts;
}

std::string figure_text(const Tested& tested, std::string_view name) {
  const auto value = share_text(tested.figure(name));
  const auto* found = tested.intervals(name);
  if (!found || !found->bca) return value;
  return fmt::format("{} ({} to {})", value, share_text(found->bca->low),
                     share_text(found->bca->high));
}

std::string part_text(const Study& study) {
  if (!study.tested) return "no final predictions";
  const auto& tested = *study.tested;
  auto text = fmt::format("{} part, {} images", tested.compared.evaluation.row.part,
                          grouped(std::ssize(tested.decisions)));
  if (tested.uncertainty.by_patient)
    text += fmt::format(" of {} {}s", grouped(tested.uncertainty.clusters), unit_of(tested));
  return text + fmt::format(", look {}", tested.compared.evaluation.look);
}

std::string decision_text(const Tested& tested) {
  const auto& row = tested.compared.evaluation.row;
  std::string text = "the most probable class";
  if (row.threshold_value) {
    text = fmt::format("{} from a probability of {}",
                       tested.compared.classes[static_cast<std::size_t>(tested.compared.positive)],
                       number_text(*row.threshold_value));
    if (!row.threshold.empty() && eval::is_chosen(row.threshold))
      text += fmt::format(" on (chosen on validation: {})", row.threshold);
    else
      text += " on";
  }
  if (row.temperature)
    text += fmt::format("; probabilities at temperature {} (fitted on validation)",
                        number_text(*row.temperature));
  return text;
}

}  // namespace bcx::report
