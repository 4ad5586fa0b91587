#include <ATen/ATen.h>

#include <cmath>

#include "bcx/sdk/nn.h"

namespace bcx::sdk {
namespace {

double fan_of(const Conv2dOptions& options, Fan fan) {
  const auto area = static_cast<double>(options.kernel * options.kernel);
  switch (fan) {
    case Fan::in:
      return static_cast<double>(options.in / options.groups) * area;
    case Fan::out:
      return static_cast<double>(options.out) * area;
    case Fan::out_per_group:
      return static_cast<double>(options.out) / static_cast<double>(options.groups) * area;
  }
  return area;
}

/// Weights from the normal distribution of the deviation that `deviation_of` gives, biases 0.
template <typename Deviation>
void each_convolution(torch::nn::Module& module, Deviation deviation_of) {
  const at::NoGradGuard no_grad;
  // Without itself: a module under construction has no shared_ptr yet.
  for (const auto& child : module.modules(/*include_self=*/false)) {
    auto* convolution = dynamic_cast<Conv2d*>(child.get());
    if (!convolution) continue;
    convolution->weight.normal_(0.0, deviation_of(*convolution));
    if (convolution->bias.defined()) convolution->bias.zero_();
  }
}

}  // namespace

void initialize_convolutions(torch::nn::Module& module, Fan fan) {
  each_convolution(module, [&](Conv2d& convolution) {
    return std::sqrt(2.0 / fan_of(convolution.options(), fan));
  });
}

void initialize_convolutions(torch::nn::Module& module, double deviation) {
  each_convolution(module, [&](Conv2d&) { return deviation; });
}

void initialize_linears(torch::nn::Module& module, double deviation) {
  for (const auto& child : module.modules(/*include_self=*/false))
    if (auto* linear = dynamic_cast<Linear*>(child.get())) initialize_normal(*linear, deviation);
}

void initialize_normal(Linear& linear, double deviation) {
  const at::NoGradGuard no_grad;
  linear.weight.normal_(0.0, deviation);
  if (linear.bias.defined()) linear.bias.zero_();
}

void initialize_uniform(Linear& linear, double bound) {
  const at::NoGradGuard no_grad;
  linear.weight.uniform_(-bound, bound);
  if (linear.bias.defined()) linear.bias.zero_();
}

void initialize_glorot(Linear& linear) {
  const auto neighbours = static_cast<double>(linear.weight.size(0) + linear.weight.size(1));
  initialize_uniform(linear, std::sqrt(6.0 / neighbours));
}

}  // namespace bcx::sdk
