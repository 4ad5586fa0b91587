#include "model/classifier.h"

#include <fmt/ranges.h>
#include <torch/nn/module.h>

#include <cmath>

#include "base/error.h"

namespace bcx::model {
namespace {

constexpr double norm_eps = 1e-5, norm_momentum = 0.1;
constexpr std::int64_t published_classes = 1000;

/// A lower-precision tensor in float32; others, undefined ones too, as they are.
at::Tensor at_least_float(const at::Tensor& x) {
  const bool lower =
      x.defined() && (x.scalar_type() == at::kBFloat16 || x.scalar_type() == at::kHalf);
  return lower ? x.to(at::kFloat) : x;
}

/// A plugin's mistake in shapes would be broadcast away in the loss.
void require_shape(const at::Tensor& x, std::int64_t n, std::int64_t channels, bool map) {
  if (x.defined() && x.dim() == (map ? 4 : 2) && x.size(0) == n && x.size(1) == channels) return;
  throw Error(ExitCode::plugin,
              fmt::format("the backbone returned {} {}, expected [{}, {}{}]",
                          map ? "a feature map" : "logits",
                          x.defined() ? fmt::format("[{}]", fmt::join(x.sizes(), ", ")) : "nothing",
                          n, channels, map ? ", h, w" : ""));
}

}  // namespace

Head::Head(const config::HeadConfig& config, std::int64_t channels, std::int64_t classes)
    : config_(config) {
  if (config_.batch_norm) {
    norm_ = register_module("norm", std::make_shared<torch::nn::Module>());
    norm_weight_ = norm_->register_parameter("weight", torch::ones({channels}));
    norm_bias_ = norm_->register_parameter("bias", torch::zeros({channels}));
    running_mean_ = norm_->register_buffer("running_mean", torch::zeros({channels}));
    running_var_ = norm_->register_buffer("running_var", torch::ones({channels}));
  }
  // Uniform in +-1/sqrt(fan_in) for weight and bias, as torch.nn.Linear initialises.
  const double bound = 1.0 / std::sqrt(static_cast<double>(channels));
  auto linear = register_module("linear", std::make_shared<torch::nn::Module>());
  weight_ = linear->register_parameter("weight",
                                       torch::empty({classes, channels}).uniform_(-bound, bound));
  bias_ = linear->register_parameter("bias", torch::empty({classes}).uniform_(-bound, bound));
}

at::Tensor Head::pool(const sdk::Features& features) const {
  if (config_.pool == "default") {
    if (features.pooled.defined()) return features.pooled;
    if (features.tokens.defined()) return features.tokens.select(1, 0);
  }
  if (config_.pool == "max") return features.map.amax({2, 3});
  return features.map.mean({2, 3}, /*keepdim=*/false, weight_.scalar_type());
}

at::Tensor Head::forward(const sdk::Features& features, sdk::ModelContext& context) {
  // The head is tiny: float32 costs nothing, and logits of 8 bits would tie where scores differ.
  const c10::impl::ExcludeDispatchKeyGuard no_autocast(c10::autocast_dispatch_keyset);
  auto x = pool(features);
  if (x.scalar_type() != weight_.scalar_type()) x = x.to(weight_.scalar_type());
  x = sdk::dropout(x, config_.dropout, is_training(), context);
  if (config_.batch_norm)
    x = at::batch_norm(x, norm_weight_, norm_bias_, running_mean_, running_var_,
                       norm_->is_training(), norm_momentum, norm_eps, /*cudnn_enabled=*/false);
  return at::addmm(bias_, x, weight_.t());
}

Classifier::Classifier(std::shared_ptr<sdk::Backbone> backbone, const config::HeadConfig& head,
                       std::int64_t classes)
    : backbone_(std::move(backbone)) {
  register_module("backbone", backbone_);
  if (head.kind == "published")
    backbone_->add_published_classifier();
  else
    head_ = register_module("head", std::make_shared<Head>(head, backbone_->channels(), classes));
}

at::Tensor Classifier::forward(const at::Tensor& images, sdk::ModelContext& context) {
  return classify(features(images, context), context);
}

sdk::Features Classifier::features(const at::Tensor& images, sdk::ModelContext& context) {
  auto features = backbone_->forward(images, context);
  require_shape(features.map, images.size(0), backbone_->channels(), true);
  return features;
}

at::Tensor Classifier::classify(const sdk::Features& features, sdk::ModelContext& context) {
  if (head_) return head_->forward(features, context);
  const c10::impl::ExcludeDispatchKeyGuard no_autocast(c10::autocast_dispatch_keyset);
  const auto logits = backbone_->published_logits({.map = at_least_float(features.map),
                                                   .tokens = at_least_float(features.tokens),
                                                   .pooled = at_least_float(features.pooled)},
                                                  context);
  require_shape(logits, features.map.size(0), published_classes, false);
  return logits;
}

void Classifier::train_unfrozen(bool train_frozen) {
  train();
  if (train_frozen) return;
  for (const auto& module : modules(/*include_self=*/false)) {
    const auto own = module->parameters();
    const bool all_frozen =
        !own.empty() &&
        std::none_of(own.begin(), own.end(), [](const at::Tensor& p) { return p.requires_grad(); });
    if (all_frozen) module->eval();
  }
}

}  // namespace bcx::model
