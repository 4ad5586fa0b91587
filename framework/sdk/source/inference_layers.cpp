#include "inference_layers.h"

#include <ATen/ATen.h>
#include <ATen/autocast_mode.h>
#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/core/List.h>
#include <ATen/core/dispatch/Dispatcher.h>

#include "bcx/sdk/inference.h"

namespace bcx::sdk {
namespace {

using Scalars = c10::List<std::optional<at::Scalar>>;

// LibTorch's oneDNN operations for weights that are laid out already, which torch.compile uses.
using PackConvolution = at::Tensor(const at::Tensor&, at::IntArrayRef, at::IntArrayRef,
                                   at::IntArrayRef, std::int64_t, at::OptionalIntArrayRef);
using Convolve = at::Tensor(const at::Tensor&, const at::Tensor&, const std::optional<at::Tensor>&,
                            at::IntArrayRef, at::IntArrayRef, at::IntArrayRef, std::int64_t,
                            std::string_view, Scalars, std::optional<std::string_view>);
using PackLinear = at::Tensor(const at::Tensor&, std::optional<std::int64_t>);
using Multiply = at::Tensor(const at::Tensor&, const at::Tensor&, const std::optional<at::Tensor>&,
                            std::string_view, Scalars, std::optional<std::string_view>);

struct Operations {
  c10::TypedOperatorHandle<PackConvolution> pack_convolution;
  c10::TypedOperatorHandle<Convolve> convolve;
  c10::TypedOperatorHandle<PackLinear> pack_linear;
  c10::TypedOperatorHandle<Multiply> multiply;
};

template <typename Signature>
c10::TypedOperatorHandle<Signature> operation(const char* name) {
  return c10::Dispatcher::singleton().findSchemaOrThrow(name, "").typed<Signature>();
}

const Operations& operations() {
  static const Operations all{operation<PackConvolution>("mkldnn::_reorder_convolution_weight"),
                              operation<Convolve>("mkldnn::_convolution_pointwise"),
                              operation<PackLinear>("mkldnn::_reorder_linear_weight"),
                              operation<Multiply>("mkldnn::_linear_pointwise")};
  return all;
}

/// An activation as those operations name it.
struct Fused {
  const char* name;
  const char* algorithm = "";
  Scalars scalars{};
};

const Fused& fused(Activation activation) {
  static const Fused none{"none"}, relu{"relu"}, hardswish{"hardswish"}, silu{"swish"},
      gelu{"gelu", "none"}, sigmoid{"sigmoid"}, hardsigmoid{"hardsigmoid"},
      relu6{"hardtanh", "", Scalars({at::Scalar(0.0), at::Scalar(6.0)})};
  switch (activation) {
    case Activation::none:
      return none;
    case Activation::relu:
      return relu;
    case Activation::relu6:
      return relu6;
    case Activation::hardswish:
      return hardswish;
    case Activation::silu:
      return silu;
    case Activation::gelu:
      return gelu;
    case Activation::sigmoid:
      return sigmoid;
    case Activation::hardsigmoid:
      return hardsigmoid;
  }
  return none;
}

/// oneDNN computes in this type as fast as LibTorch's own operations, or faster.
bool can_pack(at::ScalarType type) {
#if defined(__x86_64__)
  static const bool has_bfloat16 = __builtin_cpu_supports("avx512bf16");
  return at::globalContext().hasMKLDNN() && at::globalContext().userEnabledMkldnn() &&
         (type == at::kFloat || (type == at::kBFloat16 && has_bfloat16));
#else
  static_cast<void>(type);
  return false;
#endif
}

/// What x is computed in: autocast's rule for products.
at::ScalarType compute_type(const at::Tensor& x) {
  const bool casts = at::autocast::is_autocast_enabled(at::kCPU) && x.scalar_type() != at::kDouble;
  return casts ? at::autocast::get_autocast_dtype(at::kCPU) : x.scalar_type();
}

InferenceScope* scope_for(const at::Tensor& x) {
  return x.is_cpu() && x.numel() > 0 ? InferenceScope::current() : nullptr;
}

/// Operations go to the processor at once: autocast has had its say in compute_type(), and there
/// are no gradients.
struct Directly {
  c10::impl::ExcludeDispatchKeyGuard no_autocast{c10::autocast_dispatch_keyset};
  at::AutoDispatchBelowADInplaceOrView no_autograd;
};

/// Of a convolution or a linear layer, in the type that is computed in.
struct Derived {
  at::Tensor weight;
  std::optional<at::Tensor> bias;
};

Derived folded(const Conv2d& conv, const BatchNorm2d* norm, at::ScalarType type) {
  auto weight = conv.weight, bias = conv.bias;
  if (norm) {
    const auto k = norm->weight.to(at::kDouble) /
                   at::sqrt(norm->running_var.to(at::kDouble) + norm->options().eps);
    const auto shift = norm->running_mean.to(at::kDouble);
    weight = weight * k.to(weight.scalar_type()).view({-1, 1, 1, 1});
    bias = norm->bias.to(at::kDouble) +
           (bias.defined() ? bias.to(at::kDouble) - shift : shift.neg()) * k;
  }
  Derived result{weight.to(type).contiguous(at::MemoryFormat::ChannelsLast), {}};
  if (bias.defined()) result.bias = bias.to(type);
  return result;
}

/// The operation would not say what is wrong with a picture that the kernel does not fit into.
bool fits(const Conv2dOptions& o, const PaddedInput& input) {
  const std::int64_t reach = (o.kernel - 1) * o.dilation + 1;
  return input.x.dim() == 4 && input.x.size(1) == o.in &&
         input.x.size(2) + 2 * input.vertical >= reach &&
         input.x.size(3) + 2 * input.horizontal >= reach;
}

}  // namespace

at::Tensor inferred(const Conv2d& conv, const BatchNorm2d* norm, const at::Tensor& x,
                    Activation activation) {
  auto* scope = scope_for(x);
  if (!scope || (norm && norm->is_training())) return {};
  const auto type = compute_type(x);
  const bool packs = can_pack(type);
  if (!packs && type != at::kFloat && type != at::kDouble) return {};
  const auto& o = conv.options();
  if (x.dim() != 4) return {};
  const Directly directly;
  const auto input = padded_input(o, x.to(type));
  if (!fits(o, input)) return {};
  const std::array padding{input.vertical, input.horizontal}, stride{o.stride, o.stride},
      dilation{o.dilation, o.dilation};
  const void* owner = norm ? static_cast<const void*>(norm) : &conv;
  const auto& derived = scope->derived(owner, type, [&] {
    auto result = folded(conv, norm, type);
    if (packs)
      result.weight = operations().pack_convolution.call(result.weight, padding, stride, dilation,
                                                         o.groups, input.x.sizes());
    return result;
  });
  if (!packs)
    return activate(
        at::conv2d(input.x, derived.weight, derived.bias, stride, padding, dilation, o.groups),
        activation);
  const auto& f = fused(activation);
  return operations().convolve.call(input.x.contiguous(at::MemoryFormat::ChannelsLast),
                                    derived.weight, derived.bias, padding, stride, dilation,
                                    o.groups, f.name, f.scalars, f.algorithm);
}

at::Tensor inferred(const Linear& linear, const at::Tensor& x, Activation activation) {
  auto* scope = scope_for(x);
  if (!scope || x.size(-1) != linear.weight.size(1)) return {};
  const auto type = compute_type(x);
  if (!can_pack(type)) return {};
  const Directly directly;
  const auto& derived = scope->derived(&linear, type, [&] {
    Derived result{
        operations().pack_linear.call(linear.weight.to(type).contiguous(), x.numel() / x.size(-1)),
        {}};
    if (linear.bias.defined()) result.bias = linear.bias.to(type);
    return result;
  });
  const auto& f = fused(activation);
  return operations().multiply.call(x.to(type).contiguous(), derived.weight, derived.bias, f.name,
                                    f.scalars, f.algorithm);
}

}  // namespace bcx::sdk
