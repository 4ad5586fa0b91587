// Adam and AdamW as torch.optim has them. With gradient g, parameters p, rate r, step t from 1:
//
//     Adam:  g = g + weight_decay p          AdamW:  p = p - r weight_decay p
//     m = beta1 m + (1 - beta1) g
//     v = beta2 v + (1 - beta2) g^2          amsgrad: V = max(V, v), used for v below
//     p = p - r (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps)
//
// Kingma, Ba, "Adam: a method for stochastic optimization", 2015; Reddi, Kale, Kumar, "On the
// convergence of Adam and beyond", 2018; Loshchilov, Hutter, "Decoupled weight decay
// regularization", 2019.
#include <ATen/ATen.h>
#include <bcx/sdk/optimizer.h>
#include <bcx/sdk/plugin.h>

#include "adamax.h"
#include "nadam.h"
#include "radam.h"

namespace {

using bcx::sdk::ParameterGroup;
using bcx::sdk::StepScalars;

template <bool decoupled>
class Adam final : public bcx::sdk::Optimizer {
 public:
  explicit Adam(const bcx::sdk::Params& params)
      : beta1_(params.get<double>("beta1")),
        beta2_(params.get<double>("beta2")),
        eps_(params.get<double>("eps")),
        weight_decay_(params.get<double>("weight_decay")),
        amsgrad_(params.get<bool>("amsgrad")) {}

  void initialize(const at::Tensor& parameters) override {
    mean_ = at::zeros_like(parameters);
    square_ = at::zeros_like(parameters);
    if (amsgrad_) largest_ = at::zeros_like(parameters);
  }

  // torch's fused kernel: one pass over p, g, m, v on a CPU and on CUDA, where it takes its scalars
  // as float32 tensors and leaves everything as it is when found_inf is 1.
  void step(std::span<const ParameterGroup> groups, const StepScalars& scalars) override {
    const at::Tensor skip = scalars.skip.to(at::kFloat);
    constexpr auto update = [](auto&&... arguments) {
      if constexpr (decoupled)
        at::_fused_adamw_(arguments...);
      else
        at::_fused_adam_(arguments...);
    };
    for (const auto& group : groups) {
      const auto size = group.parameters.numel();
      if (size == 0) continue;
      const auto part = [&](const at::Tensor& whole) {
        return whole.narrow(0, group.offset, size);
      };
      std::vector<at::Tensor> parameters{group.parameters}, gradients{group.gradients},
          means{part(mean_)}, squares{part(square_)}, largest, counts{group.step.to(at::kFloat)};
      if (amsgrad_) largest.push_back(part(largest_));
      const auto& rate = group.learning_rate;
      const at::Tensor taken = rate.is_cpu() ? rate : rate.to(at::kFloat);
      update(parameters, gradients, means, squares, largest, counts, taken, beta1_, beta2_,
             weight_decay_ * group.weight_decay, eps_, amsgrad_, /*maximize=*/false,
             /*grad_scale=*/std::optional<at::Tensor>(), /*found_inf=*/std::optional(skip));
    }
  }

  std::vector<bcx::sdk::NamedTensor> state() override {
    std::vector<bcx::sdk::NamedTensor> all{{"exp_avg", mean_}, {"exp_avg_sq", square_}};
    if (amsgrad_) all.push_back({"max_exp_avg_sq", largest_});
    return all;
  }

 private:
  double beta1_, beta2_, eps_, weight_decay_;
  bool amsgrad_;
  at::Tensor mean_, square_, largest_;  // [n] over the whole flat buffer
};

}  // namespace

BCX_PLUGIN(bcx::sdk::optimizer<Adam<false>>("adam"), bcx::sdk::optimizer<Adam<true>>("adamw"),
           bcx::sdk::optimizer<optimizers::NAdam>("nadam"),
           bcx::sdk::optimizer<optimizers::RAdam>("radam"),
           bcx::sdk::optimizer<optimizers::Adamax>("adamax"))
