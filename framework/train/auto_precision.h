// `train.precision = "auto"`: measure, say, remember.
#pragma once

#include <functional>
#include <string>

#include "train/precision.h"

namespace bcx::train {

struct PrecisionChoice {
  Precision precision = Precision::fp32;
  std::string reason;  ///< `bf16: 0.92 s a step, fp32 1.61 s`
};

/// Runs `rehearse(precision)` (one forward and backward pass, without a trace) three times each in
/// fp32 and bf16, interleaved, after one of each to warm up, and takes the one with the smaller
/// median. On a CPU without bfloat16 arithmetic fp32 is taken unmeasured.
///
/// The outcome is kept in the cache folder per (device, backbone, image size, batch size), so that
/// the next run starts at once; within a run the choice is part of its state.
PrecisionChoice choose_precision(at::Device device, const std::string& backbone,
                                 std::int64_t image_size, std::int64_t batch_size,
                                 const std::function<void(Precision)>& rehearse);

}  // namespace bcx::train
