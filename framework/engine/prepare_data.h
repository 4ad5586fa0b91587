// Data of a run: found, split, decoded, audited.
#pragma once

#include <string>
#include <vector>

#include "config/experiment.h"
#include "data/audit.h"
#include "data/decode.h"
#include "data/split.h"
#include "tracker/run_writer.h"
#include "train/observer.h"
#include "train/sampler.h"

namespace bcx::engine {

struct PreparedData {
  data::DecodedData decoded;  ///< table, pixels, facts
  data::Split split;
  data::AuditReport audit;
  std::string hash;                   ///< of names, labels and pixels
  std::vector<std::string> patients;  ///< the value of data.patient of each sample; empty: unknown

  std::vector<std::int64_t> part(data::Part part) const { return split.indexes(part); }
  /// Labels and split groups of the training part.
  train::Candidates candidates() const;
};

/// Scans, splits, decodes (or opens the packed file) and audits. Splits by name before decoding, so
/// that a wrong split is told at once. Throws bcx::Error (data) for everything that is wrong with
/// the data and for audit findings that the experiment does not allow.
PreparedData prepare_data(const config::Experiment& experiment, train::Observer& observer);

/// Data set, split and stamps into the tracker.
void record_data(const PreparedData& data, const config::Experiment& experiment,
                 tracker::RunWriter& tracker);

}  // namespace bcx::engine
