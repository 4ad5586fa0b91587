// Data of a run: found, split, decoded, audited.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "config/experiment.h"
#include "data/audit.h"
#include "data/decode.h"
#include "data/split.h"
#include "plugin/catalog.h"
#include "tracker/run_writer.h"
#include "train/observer.h"
#include "train/sampler.h"

namespace bcx::engine {

struct PreparedData {
  data::DecodedData decoded;  ///< table, pixels, facts
  data::Split split;
  data::AuditReport audit;
  std::string hash;                   ///< of names, labels and pixels
  nlohmann::json preprocess;          ///< states of the components by instance; {} without any
  std::vector<std::string> patients;  ///< the value of data.patient of each sample; empty: unknown

  std::vector<std::int64_t> part(data::Part part) const { return split.indexes(part); }
  /// Labels and split groups of the training part.
  train::Candidates candidates() const;
};

/// Scans, splits, decodes (or opens the packed file) and audits. Splits by name before decoding, so
/// that a wrong split is told at once. Preprocess components are fitted on the training part, or
/// restored from `preprocess`, the states of a checkpoint. Throws bcx::Error (data) for everything
/// that is wrong with the data and for audit findings that the experiment does not allow.
PreparedData prepare_data(const config::Experiment& experiment,
                          const plugin::PluginCatalog& catalog, train::Observer& observer,
                          const nlohmann::json& preprocess = {});

/// Scans and decodes data that a model of `experiment` is evaluated on: everything is the test
/// part. Preprocess components are restored from `preprocess`, the states of the model's
/// checkpoint. Not audited: what the model has seen decides that.
PreparedData prepare_test_data(const config::Experiment& experiment,
                               const plugin::PluginCatalog& catalog, train::Observer& observer,
                               const nlohmann::json& preprocess);

/// Scans and decodes alone: neither split nor audit.
PreparedData decode_table(const config::Experiment& experiment,
                          const plugin::PluginCatalog& catalog, train::Observer& observer,
                          const nlohmann::json& preprocess);

/// Split and audit in words, warnings and stamps included.
void describe(const PreparedData& data, train::Observer& observer);

/// Data set, split, stamps and the preprocess components' states into the tracker.
void record_data(const PreparedData& data, const config::Experiment& experiment,
                 tracker::RunWriter& tracker);

}  // namespace bcx::engine
