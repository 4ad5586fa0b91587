// With gradient g, parameters p and learning rate r:
//
//     b = momentum b + g + weight_decay p
//     p = p - r b
//
// One flat tensor holds all parameters, another all gradients: a step is a few operations on them.
#include <ATen/ATen.h>
#include <bcx/sdk/optimizer.h>
#include <bcx/sdk/plugin.h>

namespace {

class @CLASS@ final : public bcx::sdk::Optimizer {
 public:
  explicit @CLASS@(const bcx::sdk::Params& params)
      : momentum_(params.get<double>("momentum")),
        weight_decay_(params.get<double>("weight_decay")) {}

  void initialize(const at::Tensor& parameters) override { buffer_ = at::zeros_like(parameters); }

  void step(std::span<const bcx::sdk::ParameterGroup> groups,
            const bcx::sdk::StepScalars& scalars) override {
    for (const auto& group : groups) {
      at::Tensor parameters = group.parameters;
      at::Tensor buffer = buffer_.narrow(0, group.offset, parameters.numel());
      const auto gradient = group.gradients + parameters * (weight_decay_ * group.weight_decay);
      const auto next = buffer * momentum_ + gradient;
      const auto moved = parameters - next * group.learning_rate;
      // A skipped step leaves everything as it was. No `if`: its value lies on the device.
      at::where_out(buffer, scalars.skip, buffer, next);
      at::where_out(parameters, scalars.skip, parameters, moved);
    }
  }

  // Everything that the next step depends on: a checkpoint has it.
  std::vector<bcx::sdk::NamedTensor> state() override { return {{"momentum_buffer", buffer_}}; }

 private:
  double momentum_, weight_decay_;
  at::Tensor buffer_;
};

}  // namespace

BCX_PLUGIN(bcx::sdk::optimizer<@CLASS@>("@NAME@"))
