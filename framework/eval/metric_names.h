// The names that named_metrics() gives.
#pragma once

#include <string>
#include <vector>

namespace bcx::eval {

/// Every name without its prefix, of two classes and of more, with patients: "auc",
/// "patient.accuracy". Which of them an evaluation has depends on its classes and groups.
const std::vector<std::string>& metric_names();

}  // namespace bcx::eval
