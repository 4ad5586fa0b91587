// The optimizer interface: a few element-wise operations on flat tensors.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace bcx::sdk {

/// Where one parameter lies within a group's flat tensors. Segments do not overlap, are sorted by
/// offset and 64-byte aligned; the padding between them is zero in parameters and gradients.
struct Segment {
  std::string name;                 ///< `features.conv0.weight`
  std::int64_t offset = 0;          ///< in elements, from the start of the group
  std::int64_t size = 0;            ///< in elements
  std::vector<std::int64_t> shape;  ///< the parameter's own
};

/// A range of the run's flat buffers whose parameters train alike: one learning rate, one
/// weight-decay multiplier, one number of steps. The tensors are views into the host's buffers and
/// keep their address until the host passes other ranges. Frozen parameters are in no group: when
/// something is frozen or unfrozen the host passes other ranges, nothing moves, and state is kept.
struct ParameterGroup {
  std::string name;  ///< of its first parameter
  std::int64_t offset =
      0;                  ///< where the range starts in the flat buffer: state is narrowed with it
  at::Tensor parameters;  ///< [n] float32 (float64 in parity tests), updated in place
  at::Tensor gradients;   ///< [n] same type; already unscaled and clipped; finite unless `skip`
  at::Tensor learning_rate;   ///< 0-dim float64 on the device: schedule, callbacks and multiplier
  double weight_decay = 1.0;  ///< multiplier of the optimizer's own weight_decay (0: norms, biases)
  /// 0-dim float64 on the device: number of this step for these parameters, counted from 1. Skipped
  /// steps do not count, nor do those during which they were frozen.
  at::Tensor step;
  std::vector<Segment> segments;
  /// [number of segments] int64 on the device: elements from each segment's start to the next
  /// one's, padding included; they add up to n. For layer-wise rules: see bcx/sdk/segments.h.
  at::Tensor segment_sizes;
};

/// Scalars of one step that live on the device (0-dim tensors), so that a step can be captured in a
/// CUDA graph: nothing here may be read on the host, and no host branch may depend on it.
struct StepScalars {
  at::Tensor skip;  ///< bool; true: parameters and state must stay bit for bit as they were
};

/// A named tensor of an optimizer's state, for checkpoints.
struct NamedTensor {
  std::string name;  ///< "exp_avg"
  at::Tensor tensor;
};

/// Base of all optimizers. The host calls, on one thread:
///
///     initialize(parameters)        once, with the whole flat buffer [n]: state tensors of that
///                                   size are allocated here, never in step()
///     load(state)                   when resuming: copy in place
///     step(groups, scalars) ...     gradients are the host's, zeroed or overwritten by it
///     state()                       at a checkpoint
///
/// step() must not synchronise with the host, and must leave everything untouched when `skip` is
/// set. Computation is in the parameters' type.
class Optimizer {
 public:
  virtual ~Optimizer() = default;
  virtual void initialize(const at::Tensor& parameters) = 0;
  virtual void step(std::span<const ParameterGroup> groups, const StepScalars& scalars) = 0;
  /// All state, in a fixed order, by reference: writing into a tensor changes the optimizer.
  virtual std::vector<NamedTensor> state() = 0;
};

}  // namespace bcx::sdk
