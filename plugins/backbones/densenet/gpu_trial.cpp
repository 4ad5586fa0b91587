#include "gpu_trial.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>

#include <functional>
#include <map>
#include <mutex>

namespace densenet::gpu {
namespace {

constexpr std::int64_t kWidth = 64, kGrowth = 32, kChannels = 32, kLayers = 2;
constexpr BatchNormRule kRule{};

/// Numbers around 0 without a pattern that a mistake could meet by chance.
at::Tensor waves(at::IntArrayRef shape, double pace, at::TensorOptions options) {
  const auto count = c10::multiply_integers(shape);
  const auto steps = at::arange(count, at::TensorOptions().dtype(at::kDouble));
  return at::sin(steps * pace).view(shape).to(options.device(), options.dtype().toScalarType());
}

struct Small {
  at::Tensor x;
  std::vector<LayerTensors> layers;

  std::vector<at::Tensor> differentiable() const {
    std::vector<at::Tensor> all{x};
    for (const auto& l : layers)
      all.insert(all.end(), {l.norm1_weight, l.norm1_bias, l.conv1_weight, l.norm2_weight,
                             l.norm2_bias, l.conv2_weight});
    return all;
  }
};

Small small(at::Device device, at::ScalarType type) {
  const auto parameters =
      at::TensorOptions(device).dtype(type == at::kDouble ? at::kDouble : at::kFloat);
  double pace = 1.1;
  const auto some = [&](at::IntArrayRef shape, double scale, double centre) {
    return waves(shape, pace += 0.37, parameters) * scale + centre;
  };
  Small made{waves({3, kChannels, 7, 5}, 0.7, parameters.dtype(type)), {}};
  for (std::int64_t i = 0; i < kLayers; ++i) {
    const std::int64_t seen = kChannels + i * kGrowth;
    made.layers.push_back({some({seen}, 0.3, 1), some({seen}, 0.3, 0),
                           some({kWidth, seen, 1, 1}, 0.2, 0), some({kWidth}, 0.3, 1),
                           some({kWidth}, 0.3, 0), some({kGrowth, kWidth, 3, 3}, 0.1, 0),
                           some({seen}, 0.3, 0), some({seen}, 0.3, 1), some({kWidth}, 0.3, 0),
                           some({kWidth}, 0.3, 1)});
  }
  for (auto& tensor : made.differentiable()) tensor.set_requires_grad(true);
  return made;
}

at::Tensor plain(at::Tensor x, const std::vector<LayerTensors>& layers) {
  const auto norm_relu = [](const at::Tensor& map, const at::Tensor& weight, const at::Tensor& bias,
                            const at::Tensor& mean, const at::Tensor& variance) {
    return at::batch_norm(map, weight, bias, mean, variance, /*training=*/true, kRule.momentum,
                          kRule.eps, /*cudnn_enabled=*/false)
        .relu();
  };
  for (const auto& l : layers) {
    const auto y =
        at::conv2d(norm_relu(x, l.norm1_weight, l.norm1_bias, l.running_mean1, l.running_var1),
                   l.conv1_weight.to(x.scalar_type()));
    const auto z = at::conv2d(
        norm_relu(y, l.norm2_weight, l.norm2_bias, l.running_mean2, l.running_var2),
        l.conv2_weight.to(x.scalar_type()), {}, at::IntArrayRef{1, 1}, at::IntArrayRef{1, 1});
    x = at::cat({x, z}, 1);
  }
  return x;
}

/// Output, gradients, running statistics.
std::vector<at::Tensor> outcome(const Small& block,
                                const std::function<at::Tensor(const Small&)>& run) {
  const auto output = run(block);
  const auto probe = waves(output.sizes(), 0.9, output.options());
  auto all = torch::autograd::grad({output}, block.differentiable(), {probe});
  all.push_back(output.detach());
  for (const auto& l : block.layers)
    all.insert(all.end(), {l.running_mean1, l.running_var1, l.running_mean2, l.running_var2});
  return all;
}

bool near(const at::Tensor& a, const at::Tensor& b, double tolerance) {
  const auto expected = b.to(at::kDouble);
  const auto apart = (a.to(at::kDouble) - expected).norm() / expected.norm();
  return apart.item<double>() <= tolerance;  // false for what is no number
}

double tolerance_of(at::ScalarType type) {
  return type == at::kDouble ? 1e-8 : type == at::kFloat ? 0.03 : 0.1;
}

}  // namespace

bool agree_with_libtorch(const BlockKernels& kernels, at::Device device, at::ScalarType type) {
  const c10::impl::ExcludeDispatchKeyGuard no_autocast(c10::autocast_dispatch_keyset);
  const at::AutoGradMode differentiable(true);
  try {
    const auto got = outcome(small(device, type), [&](const Small& block) {
      return block_training(block.x, block.layers, kRule, kernels);
    });
    const auto expected = outcome(small(device, type),
                                  [](const Small& block) { return plain(block.x, block.layers); });
    for (std::size_t i = 0; i < got.size(); ++i)
      if (!near(got[i], expected[i], tolerance_of(type))) return false;
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

const BlockKernels* trusted_cuda_kernels(const at::Tensor& x) {
  const auto* kernels = cuda_kernels();
  if (!kernels) return nullptr;
  static std::mutex mutex;
  static std::map<at::ScalarType, bool> trials;
  const std::lock_guard lock(mutex);
  auto trial = trials.find(x.scalar_type());
  if (trial == trials.end()) {
    const bool agree = agree_with_libtorch(*kernels, x.device(), x.scalar_type());
    if (!agree)
      TORCH_WARN(
          "densenet's CUDA kernels do not agree with LibTorch's operations on this GPU, or "
          "cannot be launched: the network runs unfused (model.options.fused)");
    trial = trials.emplace(x.scalar_type(), agree).first;
  }
  return trial->second ? kernels : nullptr;
}

}  // namespace densenet::gpu
