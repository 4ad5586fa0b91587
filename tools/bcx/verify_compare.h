// Whether two runs are the same to the bit: checkpoints, metrics, predictions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tracker/reader.h"

namespace bcx::cli {

/// What was compared, up to the first difference.
struct Comparison {
  std::int64_t checkpoints = 0, tensors = 0;
  std::uint64_t bytes = 0;  ///< of the tensors
  std::int64_t series = 0, values = 0;
  std::int64_t evaluations = 0, predictions = 0;
  std::optional<std::string> difference;  ///< in words; none: the same
};

/// Compares runs of one tracker, by id: every tensor of the newest "last" checkpoint and of each
/// other kept one, every metric's rows except what the clock and the machine decide (time.*,
/// images_per_second, memory.peak), every evaluation's predictions and metrics, and the numbers
/// that validation settled.
Comparison compare_runs(const tracker::Reader& reader, const std::string& one,
                        const std::string& other);

}  // namespace bcx::cli
