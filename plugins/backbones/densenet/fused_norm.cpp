#include "fused_norm.h"

#include <ATen/autocast_mode.h>
#include <torch/csrc/autograd/custom_function.h>

namespace densenet {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// A map's pixels, and how a pass over them is cut up: in blocks of rows, or with pooling in lines
/// of a picture.
struct Lines {
  Lines(const at::Tensor& x, int pool)
      : pool(pool),
        pixels(pool == 2 ? x.size(3) : 1),
        count(pool == 2 ? x.size(0) * x.size(2) : x.size(0) * x.size(2) * x.size(3)),
        wanted(std::max<std::int64_t>(1, 96 / pixels)) {}

  /// Calls work(first row, rows, first row of the result, sums).
  template <typename Work>
  ChannelSums each(std::int64_t channels, const Work& work) const {
    return for_row_blocks(
        count, channels,
        [&](const RowBlock& block, Sums sums) {
          if (pool == 1) return work(block.begin, block.rows, block.begin, sums);
          for (std::int64_t line = block.begin; line < block.begin + block.rows; ++line)
            work(line * pixels, pixels, line / 2 * (pixels / 2), sums);
        },
        wanted);
  }

  int pool;
  std::int64_t pixels, count, wanted;  ///< pixels of a line, lines
};

template <typename T>
Statistics measured(const at::Tensor& x) {
  const auto from = rows_of<const T>(x);
  const std::int64_t channels = x.size(1), rows = x.numel() / channels;
  const auto sums = for_row_blocks(rows, channels, [&](const RowBlock& block, Sums s) {
    row_kernels<T>().sum(from.from(block.begin), {block.rows, channels}, s);
  });
  const auto doubles = at::TensorOptions().dtype(at::kDouble);
  Statistics statistics{at::empty({channels}, doubles), at::empty({channels}, doubles)};
  finish_statistics(sums, rows, elements<double>(statistics.mean),
                    elements<double>(statistics.variance));
  return statistics;
}

template <typename T>
at::Tensor normalised(const at::Tensor& x, const Constants<Accumulate<T>>& constants, int pool) {
  const auto& kernels = row_kernels<T>();
  const std::int64_t channels = x.size(1), width = x.size(3);
  const auto out =
      at::empty({x.size(0), channels, x.size(2) / pool, width / pool}, x.options(), channels_last);
  const auto from = rows_of<const T>(x);
  const auto to = rows_of<T>(out);
  if (pool == 1) {
    for_row_blocks(x.numel() / channels, 0, [&](const RowBlock& block, Sums) {
      kernels.normalise_relu(from.from(block.begin), {block.rows, channels}, constants.scale.data(),
                             constants.shift.data(), to.from(block.begin));
    });
    return out;
  }
  for_row_blocks(
      out.size(0) * out.size(2), 0,
      [&](const RowBlock& block, Sums) {
        for (std::int64_t line = block.begin; line < block.begin + block.rows; ++line)
          kernels.normalise_relu_pool(
              from.from(2 * line * width), from.from((2 * line + 1) * width), {width / 2, channels},
              constants.scale.data(), constants.shift.data(), to.from(line * (width / 2)));
      },
      std::max<std::int64_t>(1, 96 / width));
  return out;
}

template <typename T>
variable_list gradients(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                        const Statistics& statistics, double eps, int pool,
                        const at::Tensor& gradient) {
  using A = Accumulate<T>;
  const auto& kernels = row_kernels<T>();
  const std::int64_t channels = x.size(1), rows = x.numel() / channels;
  const auto n = constants(const_elements<A>(weight), const_elements<A>(bias),
                           const_elements<double>(statistics.mean),
                           const_elements<double>(statistics.variance), eps, channels);
  const auto flowing = rows_of<const T>(gradient);
  const auto from = rows_of<const T>(x);
  const Lines lines(x, pool);
  const A share = A{1} / static_cast<A>(pool * pool);
  auto sums = lines.each(channels, [&](auto row, auto count, auto pooled, Sums s) {
    kernels.relu_gradient(flowing.from(pooled), from.from(row), {count, channels}, n.view(), pool,
                          s);
  });
  for (std::size_t c = 0; c < sums.first.size(); ++c) {
    sums.first[c] *= static_cast<double>(share);
    sums.second[c] *= static_cast<double>(share);
  }
  const auto mean = means_of<A>(sums.first, rows), slope = means_of<A>(sums.second, rows);
  const auto out = empty_map(x, channels);
  const auto to = rows_of<T>(out);
  lines.each(0, [&](auto row, auto count, auto pooled, Sums) {
    kernels.normalization_gradient(flowing.from(pooled), from.from(row), {count, channels},
                                   n.view(), pool, share, mean.data(), slope.data(), to.from(row));
  });
  return {out, vector_of<A>(sums.second, weight), vector_of<A>(sums.first, bias)};
}

class NormReluFunction : public torch::autograd::Function<NormReluFunction> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& input,
                            const at::Tensor& weight, const at::Tensor& bias,
                            const bcx::sdk::BatchNorm2d& norm, const Statistics& known, int pool) {
    const c10::impl::ExcludeDispatchKeyGuard no_autocast(c10::autocast_dispatch_keyset);
    const auto x = input.contiguous(channels_last);
    const auto& rule = norm.options();
    return with_type(x.scalar_type(), [&](auto type) {
      using T = decltype(type);
      using A = Accumulate<T>;
      const auto statistics = known.mean.defined() ? known : measured<T>(x);
      const auto* mean = const_elements<double>(statistics.mean);
      const auto* variance = const_elements<double>(statistics.variance);
      const std::int64_t rows = x.numel() / x.size(1);
      update_running<A>(norm.running_mean, norm.running_var, mean, variance, rows, rule.momentum);
      context->save_for_backward({x, weight, bias, statistics.mean, statistics.variance});
      context->saved_data["eps"] = rule.eps;
      context->saved_data["pool"] = static_cast<std::int64_t>(pool);
      return normalised<T>(x,
                           constants(const_elements<A>(weight), const_elements<A>(bias), mean,
                                     variance, rule.eps, x.size(1)),
                           pool);
    });
  }

  static variable_list backward(AutogradContext* context, variable_list flowing) {
    const c10::impl::ExcludeDispatchKeyGuard no_autocast(c10::autocast_dispatch_keyset);
    const auto kept = context->get_saved_variables();
    const auto pool = static_cast<int>(context->saved_data["pool"].toInt());
    const double eps = context->saved_data["eps"].toDouble();
    const auto gradient = flowing[0].to(kept[0].scalar_type()).contiguous(channels_last);
    auto result = with_type(kept[0].scalar_type(), [&](auto type) {
      return gradients<decltype(type)>(kept[0], kept[1], kept[2], {kept[3], kept[4]}, eps, pool,
                                       gradient);
    });
    result.resize(result.size() + 3);  // of the arguments that are no tensors
    return result;
  }
};

}  // namespace

at::Tensor fused_norm_relu(const bcx::sdk::BatchNorm2d& norm, const at::Tensor& x,
                           const Statistics& statistics, int pool) {
  if (!can_fuse(x, {norm.weight, norm.bias, norm.running_mean, norm.running_var})) return {};
  if (pool == 2 && (x.size(2) % 2 || x.size(3) % 2)) return {};
  if (norm.is_training())
    return NormReluFunction::apply(x, norm.weight, norm.bias, norm, statistics, pool);
  if (at::GradMode::is_enabled() &&
      (x.requires_grad() || norm.weight.requires_grad() || norm.bias.requires_grad()))
    return {};
  const c10::impl::ExcludeDispatchKeyGuard no_autocast(c10::autocast_dispatch_keyset);
  return with_type(x.scalar_type(), [&](auto type) {
    using T = decltype(type);
    return normalised<T>(x.contiguous(channels_last),
                         running_constants<Accumulate<T>>(norm.weight, norm.bias, norm.running_mean,
                                                          norm.running_var, norm.options().eps),
                         pool);
  });
}

}  // namespace densenet
