#include "fused_block.h"

#include <ATen/ATen.h>
#include <bcx/sdk/inference.h>
#include <torch/csrc/autograd/custom_function.h>

#include "map_rows.h"

namespace densenet {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr std::size_t kTensorsPerLayer = 6;  // parameters

at::Tensor convolution(const at::Tensor& z, const at::Tensor& weight) {
  return at::conv2d(z, weight.to(z.scalar_type()).contiguous(channels_last), {},
                    at::IntArrayRef{1, 1}, at::IntArrayRef{1, 1});
}

/// What training keeps of a block for the way back, beside its output.
struct Saved {
  std::vector<at::Tensor> narrow;           ///< of each layer: y, the 1x1 convolution's result
  at::Tensor mean, variance;                ///< float64 [C of the output]
  at::Tensor narrow_mean, narrow_variance;  ///< float64 [layers, width]
};

template <typename T>
at::Tensor train_forward(const at::Tensor& x, const std::vector<LayerTensors>& layers,
                         const BatchNormRule& rule, Saved& saved) {
  using A = Accumulate<T>;
  const auto& kernels = row_kernels<T>();
  const std::int64_t channels = x.size(1), rows = x.numel() / channels;
  const std::int64_t width = layers[0].conv1_weight.size(0),
                     growth = layers[0].conv2_weight.size(0);
  const auto count = static_cast<std::int64_t>(layers.size());
  const auto output = empty_map(x, channels + count * growth);
  const auto features = rows_of<T>(output);
  const auto doubles = at::TensorOptions().dtype(at::kDouble);
  saved.mean = at::empty({output.size(1)}, doubles);
  saved.variance = at::empty({output.size(1)}, doubles);
  saved.narrow_mean = at::empty({count, width}, doubles);
  saved.narrow_variance = at::empty({count, width}, doubles);
  auto* mean = elements<double>(saved.mean);
  auto* variance = elements<double>(saved.variance);

  const auto append = [&](const at::Tensor& map, std::int64_t at) {
    const auto from = rows_of<const T>(map);
    const auto sums = for_row_blocks(rows, map.size(1), [&](const RowBlock& block, Sums s) {
      kernels.copy(from.from(block.begin), {block.rows, map.size(1)},
                   features.from(block.begin, at), s);
    });
    finish_statistics(sums, rows, mean + at, variance + at);
  };
  append(x, 0);
  const auto activations = empty_map(x, width);
  for (std::int64_t i = 0; i < count; ++i) {
    const auto& layer = layers[static_cast<std::size_t>(i)];
    const std::int64_t seen = channels + i * growth;
    const auto outer =
        constants(const_elements<A>(layer.norm1_weight), const_elements<A>(layer.norm1_bias), mean,
                  variance, rule.eps, seen);
    const auto y = empty_map(x, width);
    const auto sums = Pointwise<T>{rows, seen, width}.forward(
        {features.data, features.stride}, outer.view(), const_elements<A>(layer.conv1_weight),
        rows_of<T>(y));
    auto* narrow_mean = elements<double>(saved.narrow_mean) + i * width;
    auto* narrow_variance = elements<double>(saved.narrow_variance) + i * width;
    finish_statistics(sums, rows, narrow_mean, narrow_variance);
    const auto inner =
        constants(const_elements<A>(layer.norm2_weight), const_elements<A>(layer.norm2_bias),
                  narrow_mean, narrow_variance, rule.eps, width);
    for_row_blocks(rows, 0, [&](const RowBlock& block, Sums) {
      kernels.normalise_relu(rows_of<const T>(y).from(block.begin), {block.rows, width},
                             inner.scale.data(), inner.shift.data(),
                             rows_of<T>(activations).from(block.begin));
    });
    append(convolution(activations, layer.conv2_weight), seen);
    update_running<A>(layer.running_mean1, layer.running_var1, mean, variance, rows, rule.momentum);
    update_running<A>(layer.running_mean2, layer.running_var2, narrow_mean, narrow_variance, rows,
                      rule.momentum);
    saved.narrow.push_back(y);
  }
  return output;
}

/// One block's way back. `layers` hold parameters alone.
template <typename T>
class Backward {
 public:
  using A = Accumulate<T>;

  Backward(const at::Tensor& output, const Saved& saved, const std::vector<LayerTensors>& layers,
           double eps, const at::Tensor& gradient)
      : output_(output),
        saved_(saved),
        layers_(layers),
        eps_(eps),
        // A copy: it becomes the buffer that all layers add to.
        total_(gradient.to(output.scalar_type()).clone(channels_last)),
        growth_(layers[0].conv2_weight.size(0)),
        width_(layers[0].conv1_weight.size(0)),
        channels_(output.size(1) - static_cast<std::int64_t>(layers.size()) * growth_),
        rows_(output.numel() / output.size(1)),
        constant_(static_cast<std::size_t>(output.size(1))),
        slope_(static_cast<std::size_t>(output.size(1))) {}

  /// The gradients of x and of each layer's parameters, in LayerTensors's order.
  variable_list run() {
    const std::size_t count = layers_.size();
    variable_list gradients(1 + kTensorsPerLayer * count);
    for (std::size_t i = count; i-- > 0;) {
      auto of_layer = layer(i);
      std::move(of_layer.begin(), of_layer.end(),
                gradients.begin() + static_cast<std::ptrdiff_t>(1 + kTensorsPerLayer * i));
    }
    gradients[0] = finished(0, channels_);
    return gradients;
  }

 private:
  /// The finished gradient of the features [at, at + channels).
  at::Tensor finished(std::int64_t at, std::int64_t channels) {
    const auto out = empty_map(output_, channels);
    const auto* mean = const_elements<double>(saved_.mean);
    const auto* variance = const_elements<double>(saved_.variance);
    std::vector<A> constant, slope;
    for (std::int64_t c = at; c < at + channels; ++c) {
      const auto i = static_cast<std::size_t>(c);
      const double steep = slope_[i] / std::sqrt(variance[c] + eps_);
      constant.push_back(static_cast<A>(constant_[i] - steep * mean[c]));
      slope.push_back(static_cast<A>(steep));
    }
    for_row_blocks(rows_, 0, [&](const RowBlock& block, Sums) {
      row_kernels<T>().finish_gradient(rows_of<const T>(total_).from(block.begin, at),
                                       rows_of<const T>(output_).from(block.begin, at),
                                       {block.rows, channels}, constant.data(), slope.data(),
                                       rows_of<T>(out).from(block.begin));
    });
    return out;
  }

  std::vector<at::Tensor> layer(std::size_t i) {
    const auto& kernels = row_kernels<T>();
    const auto& tensors = layers_[i];
    const std::int64_t seen = channels_ + static_cast<std::int64_t>(i) * growth_;
    const auto& y = saved_.narrow[i];
    const auto inner = constants(
        const_elements<A>(tensors.norm2_weight), const_elements<A>(tensors.norm2_bias),
        const_elements<double>(saved_.narrow_mean) + static_cast<std::int64_t>(i) * width_,
        const_elements<double>(saved_.narrow_variance) + static_cast<std::int64_t>(i) * width_,
        eps_, width_);
    const auto activations = empty_map(y, width_);
    for_row_blocks(rows_, 0, [&](const RowBlock& block, Sums) {
      kernels.normalise_relu(rows_of<const T>(y).from(block.begin), {block.rows, width_},
                             inner.scale.data(), inner.shift.data(),
                             rows_of<T>(activations).from(block.begin));
    });
    const auto weight2 = tensors.conv2_weight.to(y.scalar_type()).contiguous(channels_last);
    const auto [flowing_any, conv2_gradient, no_bias] = at::convolution_backward(
        finished(seen, growth_), activations, weight2, c10::nullopt, {1, 1}, {1, 1}, {1, 1},
        /*transposed=*/false, {0, 0}, 1, {true, true, false});
    const auto flowing = flowing_any.contiguous(channels_last);

    const auto sums2 = for_row_blocks(rows_, width_, [&](const RowBlock& block, Sums sums) {
      kernels.relu_gradient(rows_of<const T>(flowing).from(block.begin),
                            rows_of<const T>(y).from(block.begin), {block.rows, width_},
                            inner.view(), /*pool=*/1, sums);
    });
    const auto mean2 = means_of<A>(sums2.first, rows_), slope2 = means_of<A>(sums2.second, rows_);

    const auto outer = constants(
        const_elements<A>(tensors.norm1_weight), const_elements<A>(tensors.norm1_bias),
        const_elements<double>(saved_.mean), const_elements<double>(saved_.variance), eps_, seen);
    const auto conv1_gradient = at::empty({width_, seen, 1, 1}, tensors.conv1_weight.options());
    const auto sums1 = Pointwise<T>{rows_, seen, width_}.backward(
        rows_of<const T>(output_), outer.view(), const_elements<A>(tensors.conv1_weight),
        [&](const RowBlock& block, Rows<T> tile) {
          kernels.normalization_gradient(rows_of<const T>(flowing).from(block.begin),
                                         rows_of<const T>(y).from(block.begin),
                                         {block.rows, width_}, inner.view(), /*pool=*/1, A{1},
                                         mean2.data(), slope2.data(), tile);
        },
        rows_of<T>(total_), elements<A>(conv1_gradient));
    for (std::size_t c = 0; c < static_cast<std::size_t>(seen); ++c) {
      const double scale = static_cast<double>(outer.scale[c]) / static_cast<double>(rows_);
      constant_[c] += scale * sums1.first[c];
      slope_[c] += scale * sums1.second[c];
    }
    return {vector_of<A>(sums1.second, tensors.norm1_weight),
            vector_of<A>(sums1.first, tensors.norm1_bias),
            conv1_gradient,
            vector_of<A>(sums2.second, tensors.norm2_weight),
            vector_of<A>(sums2.first, tensors.norm2_bias),
            conv2_gradient.to(tensors.conv2_weight.scalar_type())};
  }

  const at::Tensor& output_;
  const Saved& saved_;
  const std::vector<LayerTensors>& layers_;
  double eps_;
  at::Tensor total_;  ///< gradient of the features, less what the constants below take away
  std::int64_t growth_, width_, channels_, rows_;
  std::vector<double> constant_, slope_;  ///< summed over the layers: constant + slope * normalised
};

std::vector<LayerTensors> layers_from(const variable_list& tensors, std::size_t begin,
                                      std::size_t end) {
  std::vector<LayerTensors> layers;
  for (std::size_t i = begin; i < end; i += kTensorsPerLayer)
    layers.push_back({tensors[i],
                      tensors[i + 1],
                      tensors[i + 2],
                      tensors[i + 3],
                      tensors[i + 4],
                      tensors[i + 5],
                      {},
                      {},
                      {},
                      {}});
  return layers;
}

/// Inputs: x and the parameters of all layers, so that autograd knows them; `layers` hold the same.
class DenseBlockFunction : public torch::autograd::Function<DenseBlockFunction> {
 public:
  /// The features, their means and variances.
  static variable_list forward(AutogradContext* context, const at::Tensor& x,
                               at::TensorList parameters, const std::vector<LayerTensors>& layers,
                               const BatchNormRule& rule) {
    const c10::impl::ExcludeDispatchKeyGuard no_autocast(c10::autocast_dispatch_keyset);
    Saved saved;
    const auto output = with_type(x.scalar_type(), [&](auto type) {
      return train_forward<decltype(type)>(x.contiguous(channels_last), layers, rule, saved);
    });
    variable_list kept{output, saved.mean, saved.variance, saved.narrow_mean,
                       saved.narrow_variance};
    kept.insert(kept.end(), saved.narrow.begin(), saved.narrow.end());
    kept.insert(kept.end(), parameters.begin(), parameters.end());
    context->save_for_backward(kept);
    context->saved_data["layers"] = static_cast<std::int64_t>(layers.size());
    context->saved_data["eps"] = rule.eps;
    context->mark_non_differentiable({saved.mean, saved.variance});
    return {output, saved.mean, saved.variance};
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const c10::impl::ExcludeDispatchKeyGuard no_autocast(c10::autocast_dispatch_keyset);
    const auto kept = context->get_saved_variables();
    const auto count = static_cast<std::size_t>(context->saved_data["layers"].toInt());
    const double eps = context->saved_data["eps"].toDouble();
    const Saved saved{{kept.begin() + 5, kept.begin() + 5 + static_cast<std::ptrdiff_t>(count)},
                      kept[1],
                      kept[2],
                      kept[3],
                      kept[4]};
    const auto layers = layers_from(kept, 5 + count, kept.size());
    auto result = with_type(kept[0].scalar_type(), [&](auto type) {
      return Backward<decltype(type)>(kept[0], saved, layers, eps, gradients[0]).run();
    });
    result.resize(result.size() + 2);  // of `layers` and `rule`
    return result;
  }
};

}  // namespace

LayerTensors LayerModules::tensors() const {
  return {.norm1_weight = norm1.weight,
          .norm1_bias = norm1.bias,
          .conv1_weight = conv1.weight,
          .norm2_weight = norm2.weight,
          .norm2_bias = norm2.bias,
          .conv2_weight = conv2.weight,
          .running_mean1 = norm1.running_mean,
          .running_var1 = norm1.running_var,
          .running_mean2 = norm2.running_mean,
          .running_var2 = norm2.running_var};
}

bool can_fuse(const at::Tensor& x, const std::vector<LayerTensors>& layers) {
  return !layers.empty() && std::all_of(layers.begin(), layers.end(), [&](const LayerTensors& l) {
    return l.conv1_weight.size(0) % kLane == 0 && l.conv2_weight.size(0) % kLane == 0 &&
           can_fuse(x, {l.norm1_weight, l.norm1_bias, l.conv1_weight, l.norm2_weight, l.norm2_bias,
                        l.conv2_weight, l.running_mean1, l.running_var1, l.running_mean2,
                        l.running_var2});
  });
}

Features fused_block_training(const at::Tensor& x, const std::vector<LayerTensors>& layers,
                              const BatchNormRule& rule) {
  std::vector<at::Tensor> parameters;
  for (const auto& layer : layers)
    parameters.insert(parameters.end(), {layer.norm1_weight, layer.norm1_bias, layer.conv1_weight,
                                         layer.norm2_weight, layer.norm2_bias, layer.conv2_weight});
  auto made = DenseBlockFunction::apply(x, at::TensorList(parameters), layers, rule);
  return {made[0], {made[1], made[2]}};
}

namespace {

template <typename A>
Constants<A> constants_of(const bcx::sdk::BatchNorm2d& norm) {
  return running_constants<A>(norm.weight, norm.bias, norm.running_mean, norm.running_var,
                              norm.options().eps);
}

/// What a layer does before its 3x3 convolution.
template <typename T>
struct Narrowing {
  explicit Narrowing(const LayerModules& layer)
      : outer(constants_of<Accumulate<T>>(layer.norm1)),
        inner(constants_of<Accumulate<T>>(layer.norm2)),
        weight(layer.conv1.weight.numel()) {
    const auto& own = layer.conv1.weight;
    pack_for_forward(const_elements<Accumulate<T>>(own), own.size(0), own.size(1), weight.data());
  }

  Constants<Accumulate<T>> outer, inner;
  Buffer<T> weight;
};

template <typename T>
at::Tensor infer(const at::Tensor& x, const std::vector<LayerModules>& layers,
                 bcx::sdk::InferenceScope& scope) {
  const std::int64_t channels = x.size(1), rows = x.numel() / channels;
  const std::int64_t width = layers[0].conv1.options().out, growth = layers[0].conv2.options().out;
  const auto output = empty_map(x, channels + static_cast<std::int64_t>(layers.size()) * growth);
  const auto features = rows_of<T>(output);
  const auto append = [&](const at::Tensor& map, std::int64_t at) {
    const auto from = rows_of<const T>(map);
    for_row_blocks(rows, 0, [&](const RowBlock& block, Sums) {
      for (std::int64_t r = block.begin; r < block.begin + block.rows; ++r)
        std::copy_n(from.from(r).data, map.size(1), features.from(r, at).data);
    });
  };
  append(x, 0);
  const auto activations = empty_map(x, width);
  const PointwiseScratch<T> scratch(rows, width);
  std::int64_t seen = channels;
  for (const auto& layer : layers) {
    const auto& narrowing =
        scope.derived(&layer.norm1, x.scalar_type(), [&] { return Narrowing<T>(layer); });
    Pointwise<T>{rows, seen, width}.forward(
        {features.data, features.stride}, narrowing.outer.view(), narrowing.weight.data(),
        narrowing.inner.scale.data(), narrowing.inner.shift.data(), rows_of<T>(activations),
        scratch);
    append(layer.conv2.forward(activations).contiguous(channels_last), seen);
    seen += growth;
  }
  return output;
}

}  // namespace

at::Tensor fused_block_inference(const at::Tensor& x, const std::vector<LayerModules>& layers) {
  const c10::impl::ExcludeDispatchKeyGuard no_autocast(c10::autocast_dispatch_keyset);
  const at::NoGradGuard no_grad;
  // Where the host opened none, this call is one.
  std::optional<bcx::sdk::InferenceScope> own;
  if (!bcx::sdk::InferenceScope::current()) own.emplace();
  return with_type(x.scalar_type(), [&](auto type) {
    return infer<decltype(type)>(x.contiguous(channels_last), layers,
                                 *bcx::sdk::InferenceScope::current());
  });
}

}  // namespace densenet
