// What a model is made of and what it costs, for the table at the start of a run and `bcx check
// --model`.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace bcx::model {

class Classifier;

/// One line of the summary: a child module two levels below the classifier.
struct SummaryRow {
  std::string name;  ///< "backbone.features.denseblock1"
  std::int64_t parameters = 0, trainable = 0;
};

struct Summary {
  std::vector<SummaryRow> rows;
  std::int64_t parameters = 0, trainable = 0;
  std::uint64_t parameter_bytes = 0;  ///< values, in their type
};

/// Groups parameters by the first three parts of their names. Cheap: nothing is run.
Summary summarize(const Classifier& classifier);

}  // namespace bcx::model
