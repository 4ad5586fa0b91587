// A training step as a device records it, and what it changes.
#include <torch/utils.h>

#include "train/step.h"

namespace bcx::train {

/// A whole step on batches that lie ready, with one seeded generator for each.
at::Tensor StepExecutor::run_given(std::span<const sdk::Batch> batches,
                                   std::span<const at::Generator> generators) {
  const struct Restore {
    StepExecutor& step;
    at::Generator own;
    ~Restore() {
      step.context_.generator = own;
      step.parameters_.release_gradients();  // of a backward pass cut short
    }
  } restore{*this, context_.generator};
  std::int64_t samples = 0;
  for (const auto& batch : batches) samples += batch.images.size(0);
  const Before before = remember();
  at::Tensor loss;
  round_weights(settings_.precision);
  for (std::size_t i = 0; i < batches.size(); ++i) {
    context_.generator = generators[i];
    const double share =
        static_cast<double>(batches[i].images.size(0)) / static_cast<double>(samples);
    const auto part =
        forward_backward(batches[i], {static_cast<std::int64_t>(i), share}, settings_.precision);
    loss = i == 0 ? part * share : loss + part * share;
  }
  torch::NoGradGuard no_grad;
  update(loss, before);
  return loss;
}

std::vector<sdk::NamedTensor> StepExecutor::changing_state() {
  auto all = state();
  all.push_back({"parameters", parameters_.values()});
  all.push_back({"gradients", parameters_.gradients()});
  all.push_back({"running statistics", parameters_.buffers()});
  all.push_back({"gradient's norm", gradient_norm_});
  for (const auto& [name, tensor] : optimizer_.state())
    all.push_back({"optimizer's " + name, tensor});
  for (const auto& buffer : classifier_.named_buffers())
    if (!buffer.value().is_floating_point()) all.push_back({buffer.key(), buffer.value()});
  return all;
}

}  // namespace bcx::train
