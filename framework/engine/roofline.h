// What this machine could do at best, and how far from it a measured time is.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "engine/engine.h"
#include "train/precision.h"

namespace bcx::engine {

/// What large copies and large matrix products reach on the device.
struct MachineRates {
  Measured copy;                  ///< GB/s, read and written
  std::vector<Measured> product;  ///< GFLOP/s (two per multiply-accumulate): fp32, bf16
};
/// bf16 is left out where the processor has no instructions for it.
MachineRates machine_rates(at::Device device);

/// The least that a step or a batch of the plain network costs, product by product (Williams,
/// Waterman and Patterson 2009, "Roofline"): each takes its arithmetic at the rate of large ones or
/// its operands and its result, moved through memory once each, at the rate of large copies,
/// whichever is more. What lies between products is free, and nothing stays in a cache between two
/// of them: a network that does better keeps data in caches. A backward pass has two products for
/// each of the forward pass, of the same size.
///
/// `seconds`: what the step took. Empty where the rate is not known or the network cannot be run
/// on one image of zeros in float32 to see its products.
std::vector<Measured> roofline(const BenchRequest& request, std::int64_t batch,
                               train::Precision precision, const MachineRates& machine,
                               double seconds);

}  // namespace bcx::engine
