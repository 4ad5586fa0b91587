// The sections of a page about one run, and those about several.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "eval/compare.h"
#include "report/html.h"
#include "report/pictures.h"
#include "report/study.h"

namespace bcx::report {

/// How a section is written.
struct Manner {
  std::string prefix;  ///< of every id: "a-"
  bool drawn = true;   ///< plotly.js is there
  eval::BootstrapOptions bootstrap;
};

std::string cautions_html(const Study& study, const std::string& name = {});
Section asked(const Study& study, const Manner& manner);
Section data_and_split(const Study& study, const Manner& manner);
Section training(const tracker::Reader& reader, const Study& study, const Manner& manner);
/// The following want study.tested.
Section results(const Tested& tested, const Study& study, const Manner& manner);
Section curves(const Tested& tested, const Manner& manner);
Section subgroups(const Tested& tested, const Manner& manner);
Section patients(const Tested& tested, const Manner& manner);
Section galleries(const Tested& tested, const Manner& manner, Pictures& pictures,
                  const Explanations& explanations);
/// Of a run that is made of folds: each one's figures, mean, spread, all decisions together, and
/// curves of each fold and of ranks within them.
Section folds(const tracker::Reader& reader, const Study& study, const Manner& manner);
Section environment(const Study& study, const Manner& manner);
Section unmeasured(const Study& study, const Manner& manner);

/// Figures side by side, differences with intervals of every run to the first, and what sets the
/// configurations apart.
Section comparison(const tracker::Reader& reader, const std::vector<Study>& studies,
                   const Manner& manner);

/// Decisions by class, with each class's recall.
std::string confusion_html(const std::vector<std::string>& classes,
                           std::span<const eval::Label> targets,
                           std::span<const eval::Label> decisions);

/// `A`, `B` .. `Z`, `A2` ...
std::string letter_of(std::size_t number);

}  // namespace bcx::report
