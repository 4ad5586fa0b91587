#include "gpu_block.h"

#include <ATen/ATen.h>
#include <ATen/DeviceGuard.h>
#include <torch/csrc/autograd/custom_function.h>

#include "gpu_backward.h"
#include "gpu_forward.h"

namespace densenet::gpu {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr std::size_t kParameters = 6;  // of a layer, in LayerTensors's order

template <typename Call>
auto with_kernels(const BlockKernels& kernels, at::ScalarType type, const Call& call) {
  if (type == at::kBFloat16) return call(kernels.of_bfloat16);
  if (type == at::kHalf) return call(kernels.of_half);
  if (type == at::kFloat) return call(kernels.of_float);
  return call(kernels.of_double);
}

template <typename T>
Saved run_forward(const PassKernels<T>& kernels, const at::Tensor& x,
                  const std::vector<LayerTensors>& layers, const BatchNormRule& rule) {
  std::int64_t seen = x.size(1), channels = seen;
  for (const auto& layer : layers) channels += layer.conv2_weight.size(0);
  Forward<T> forward(kernels, x, channels, rule);
  for (const auto& layer : layers) {
    forward.layer(layer, seen);
    seen += layer.conv2_weight.size(0);
  }
  return forward.saved();
}

/// `wanted(i)`: whether the gradient of parameter i is.
template <typename T, typename Wanted>
variable_list run_backward(const PassKernels<T>& kernels, const Saved& saved,
                           const at::Tensor& gradient, const Wanted& wanted) {
  Backward<T> backward(kernels, saved, gradient);
  variable_list gradients(1 + kParameters * saved.layers.size());
  for (std::size_t i = saved.layers.size(); i-- > 0;) {
    const std::size_t first = kParameters * i;
    auto of_layer = backward.layer(saved.layers[i], {wanted(first + 2), wanted(first + 5)});
    std::move(of_layer.begin(), of_layer.end(),
              gradients.begin() + static_cast<std::ptrdiff_t>(1 + first));
  }
  gradients[0] = backward.finished(0, saved.layers[0].outer.size(1));
  return gradients;
}

/// Channels-last, on 16 bytes.
at::Tensor laid_out(const at::Tensor& x) {
  const auto map = x.contiguous(channels_last);
  const auto address = reinterpret_cast<std::uintptr_t>(map.const_data_ptr());
  return address % 16 ? map.clone(channels_last) : map;
}

class BlockFunction : public torch::autograd::Function<BlockFunction> {
 public:
  /// `parameters` are those of `layers`, so that autograd knows them.
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x,
                            at::TensorList /*parameters*/, const std::vector<LayerTensors>& layers,
                            const BatchNormRule& rule, const BlockKernels* kernels) {
    const c10::impl::ExcludeDispatchKeyGuard no_autocast(c10::autocast_dispatch_keyset);
    const at::DeviceGuard guard(x.device());
    const auto saved = with_kernels(*kernels, x.scalar_type(), [&](const auto& of_type) {
      return run_forward(of_type, laid_out(x), layers, rule);
    });
    context->save_for_backward(saved.list());
    context->saved_data["kernels"] = reinterpret_cast<std::int64_t>(kernels);
    return saved.output;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const c10::impl::ExcludeDispatchKeyGuard no_autocast(c10::autocast_dispatch_keyset);
    const auto saved = Saved::from(context->get_saved_variables());
    const at::DeviceGuard guard(saved.output.device());
    const auto type = saved.output.scalar_type();
    const auto total = gradients[0].to(type).clone(channels_last);
    const auto* kernels =
        reinterpret_cast<const BlockKernels*>(context->saved_data["kernels"].toInt());
    const auto wanted = [&](std::size_t i) { return context->needs_input_grad(1 + i); };
    // Of another type than their parameters, LibTorch rounds them.
    auto result = with_kernels(*kernels, type, [&](const auto& of_type) {
      return run_backward(of_type, saved, total, wanted);
    });
    result.resize(result.size() + 3);  // of the arguments that are no tensors
    return result;
  }
};

}  // namespace

const BlockKernels* cuda_kernels() {
#ifdef BCX_CUDA_KERNELS
  return &kCudaKernels;
#else
  return nullptr;
#endif
}

bool can_fuse(const at::Tensor& x, const std::vector<LayerTensors>& layers) {
  const auto type = x.scalar_type();
  if (type != at::kBFloat16 && type != at::kHalf && type != at::kFloat && type != at::kDouble)
    return false;
  if (layers.empty() || x.dim() != 4 || x.size(1) % kLane || x.numel() <= x.size(1)) return false;
  const auto numbers = type == at::kDouble ? at::kDouble : at::kFloat;
  const auto vector = [&](const at::Tensor& v) {
    return v.scalar_type() == numbers && v.device() == x.device() && v.is_contiguous();
  };
  const auto weight = [&](const at::Tensor& w) {
    return (w.scalar_type() == numbers || w.scalar_type() == type) && w.device() == x.device() &&
           w.size(0) % kLane == 0;
  };
  return std::all_of(layers.begin(), layers.end(), [&](const LayerTensors& l) {
    return weight(l.conv1_weight) && weight(l.conv2_weight) && vector(l.norm1_weight) &&
           vector(l.norm1_bias) && vector(l.norm2_weight) && vector(l.norm2_bias) &&
           vector(l.running_mean1) && vector(l.running_var1) && vector(l.running_mean2) &&
           vector(l.running_var2);
  });
}

at::Tensor block_training(const at::Tensor& x, const std::vector<LayerTensors>& layers,
                          const BatchNormRule& rule, const BlockKernels& kernels) {
  std::vector<at::Tensor> parameters;
  for (const auto& layer : layers)
    parameters.insert(parameters.end(), {layer.norm1_weight, layer.norm1_bias, layer.conv1_weight,
                                         layer.norm2_weight, layer.norm2_bias, layer.conv2_weight});
  return BlockFunction::apply(x, at::TensorList(parameters), layers, rule, &kernels);
}

}  // namespace densenet::gpu
