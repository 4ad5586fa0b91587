// Stochastic gradient descent as torch.optim.SGD has it. With gradient g, parameters p, rate r:
//
//     d = g + weight_decay p
//     b = d at the first step, then  b = momentum b + (1 - dampening) d
//     u = d without momentum, b with it, d + momentum b with nesterov
//     p = p - r u
//
// Sutskever, Martens, Dahl, Hinton, "On the importance of initialization and momentum in deep
// learning", 2013 (Nesterov's momentum in this form).
#include <ATen/ATen.h>
#include <bcx/sdk/optimizer.h>
#include <bcx/sdk/plugin.h>

#include <stdexcept>

namespace {

using bcx::sdk::ParameterGroup;
using bcx::sdk::StepScalars;

class Sgd final : public bcx::sdk::Optimizer {
 public:
  explicit Sgd(const bcx::sdk::Params& params)
      : momentum_(params.get<double>("momentum")),
        dampening_(params.get<double>("dampening")),
        weight_decay_(params.get<double>("weight_decay")),
        nesterov_(params.get<bool>("nesterov")) {
    if (nesterov_ && (momentum_ == 0.0 || dampening_ != 0.0))
      throw std::invalid_argument("nesterov = true needs momentum above 0 and dampening = 0");
  }

  void initialize(const at::Tensor& parameters) override {
    if (momentum_ != 0.0) buffer_ = at::zeros_like(parameters);
  }

  void step(std::span<const ParameterGroup> groups, const StepScalars& scalars) override {
    const bool damped = momentum_ != 0.0 && dampening_ != 0.0;
    const at::Tensor skip = scalars.skip.to(at::kFloat);
    for (const auto& group : groups) {
      if (group.parameters.numel() == 0) continue;
      if (damped)
        step_damped(group, scalars);
      else
        step_fused(group, skip);
    }
  }

  std::vector<bcx::sdk::NamedTensor> state() override {
    if (!buffer_.defined()) return {};
    return {{"momentum_buffer", buffer_}};
  }

 private:
  at::Tensor buffer(const ParameterGroup& group) const {
    return buffer_.narrow(0, group.offset, group.parameters.numel());
  }

  // One pass over parameters, gradients and buffer, on a CPU and on CUDA. A buffer of zeros makes
  // the first step no different from the others. On CUDA the kernel reads its rate as float32.
  void step_fused(const ParameterGroup& group, const at::Tensor& skip) const {
    std::vector<at::Tensor> buffers;
    if (momentum_ != 0.0) buffers.push_back(buffer(group));
    const auto& rate = group.learning_rate;
    at::_fused_sgd_(group.parameters, group.gradients, buffers, weight_decay_ * group.weight_decay,
                    momentum_, rate.is_cpu() ? rate : rate.to(at::kFloat), /*dampening=*/0.0,
                    nesterov_, /*maximize=*/false, /*is_first_step=*/false,
                    /*grad_scale=*/{}, /*found_inf=*/skip);
  }

  // With dampening the first step differs, and only the device knows which one that is.
  void step_damped(const ParameterGroup& group, const StepScalars& scalars) const {
    at::Tensor parameters = group.parameters, old = buffer(group);
    const auto gradient = at::add(group.gradients, parameters, weight_decay_ * group.weight_decay);
    const auto share = 1.0 - (group.step != 1).to(at::kDouble) * dampening_;
    const auto next = old * momentum_ + gradient * share;
    const auto moved = parameters - next * group.learning_rate;
    at::where_out(old, scalars.skip, old, next);
    at::where_out(parameters, scalars.skip, parameters, moved);
  }

  double momentum_, dampening_, weight_decay_;
  bool nesterov_;
  at::Tensor buffer_;  // [n] over the whole flat buffer; undefined without momentum
};

}  // namespace

BCX_PLUGIN(bcx::sdk::optimizer<Sgd>("sgd"))
