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

}  // namespace

void initialize_convolutions(torch::nn::Module& module, Fan fan) {
  const at::NoGradGuard no_grad;
  // Without itself: a module under construction has no shared_ptr yet.
  for (const auto& child : module.modules(/*include_self=*/false)) {
    auto* convolution = dynamic_cast<Conv2d*>(child.get());
    if (!convolution) continue;
    convolution->weight.normal_(0.0, std::sqrt(2.0 / fan_of(convolution->options(), fan)));
    if (convolution->bias.defined()) convolution->bias.zero_();
  }
}

void initialize_normal(Linear& linear, double deviation) {
  const at::NoGradGuard no_grad;
  linear.weight.normal_(0.0, deviation);
  linear.bias.zero_();
}

void initialize_uniform(Linear& linear, double bound) {
  const at::NoGradGuard no_grad;
  linear.weight.uniform_(-bound, bound);
  linear.bias.zero_();
}

}  // namespace bcx::sdk
