// The charts of one run.
#pragma once

#include <vector>

#include "eval/curves.h"
#include "report/chart.h"
#include "report/study.h"

namespace bcx::report {

/// Loss, the figures that were followed, and the learning rate, over the epochs.
std::vector<Chart> training_charts(const tracker::Reader& reader, const Study& study,
                                   const std::string& prefix);

/// Of two classes: ROC with its band, precision-recall, calibration and decision curve; of more,
/// calibration alone. `prefix` begins every id.
std::vector<Chart> test_charts(const Tested& tested, const std::string& prefix,
                               const eval::BootstrapOptions& options);

/// A curve's corners: points in the middle of a horizontal or vertical stretch add nothing.
eval::RocCurve corners(const eval::RocCurve& roc);

/// The ROC curves of several runs on one chart.
Chart roc_comparison(const std::vector<const Study*>& studies,
                     const std::vector<std::string>& names);

}  // namespace bcx::report
