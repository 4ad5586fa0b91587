// Which tensors of a file go into which of a model: by name, with a report of everything that does
// not.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "weights/safetensors.h"

namespace bcx::weights {

/// A parameter or buffer that the model wants.
struct ModelTensor {
  std::string name;
  Shape shape;
};

struct MatchOptions {
  /// File tensors whose names begin so are left out when the model does not have them, and counted:
  /// the published classifier (`classifier.`, `fc.`, `head.`, `heads.`) where the head is new.
  std::vector<std::string> skip_prefixes = {};
  /// `….num_batches_tracked` is a counter that bcx keeps outside the model: missing or left over,
  /// it is no fault.
  bool ignore_batch_counters = true;
};

/// A file's `….relative_position_index` (Swin's, a table of constants) is left out where the model
/// does not have it.
///
/// What match() found. Names are in the model's order for `loaded`, `missing` and `misshaped`, in
/// the file's for the others.
struct MatchReport {
  struct Misshaped {
    std::string name;
    Shape expected, found;
  };
  std::vector<std::string> loaded;
  std::vector<std::string> missing;     ///< the model wants them, the file lacks them
  std::vector<std::string> unexpected;  ///< the file has them, the model has no use for them
  std::vector<Misshaped> misshaped;
  std::vector<std::string> skipped;  ///< left out as the options say

  bool complete() const { return missing.empty() && unexpected.empty() && misshaped.empty(); }
  /// One line: `loaded 364 tensors, left out 2 (classifier.)`.
  std::string summary() const;
};

MatchReport match(std::span<const ModelTensor> model, const SafetensorsFile& file,
                  const MatchOptions& options = {});

/// Throws bcx::Error (data) unless the report is complete: counts, then up to ten tensors by name,
/// a missing one with the nearest unexpected name (`did the file mean ...`).
void require_complete(const MatchReport& report, const SafetensorsFile& file);

}  // namespace bcx::weights
