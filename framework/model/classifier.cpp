#include "model/classifier.h"

#include <torch/torch.h>

#include <cmath>

#include "base/error.h"

namespace bcx::model {
namespace {

constexpr double norm_eps = 1e-5, norm_momentum = 0.1;

}  // namespace

Head::Head(const config::HeadConfig& config, std::int64_t channels, std::int64_t classes)
    : config_(config) {
  if (config_.batch_norm) {
    auto norm = register_module("norm", std::make_shared<torch::nn::Module>());
    norm_weight_ = norm->register_parameter("weight", torch::ones({channels}));
    norm_bias_ = norm->register_parameter("bias", torch::zeros({channels}));
    running_mean_ = norm->register_buffer("running_mean", torch::zeros({channels}));
    running_var_ = norm->register_buffer("running_var", torch::ones({channels}));
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
  return config_.pool == "max" ? features.map.amax({2, 3}) : features.map.mean({2, 3});
}

at::Tensor Head::forward(const sdk::Features& features, sdk::ModelContext& context) {
  // The head is tiny: float32 costs nothing and keeps the logits exact under autocast.
  auto x = pool(features);
  if (x.scalar_type() != weight_.scalar_type()) x = x.to(weight_.scalar_type());
  x = sdk::dropout(x, config_.dropout, is_training(), context);
  if (config_.batch_norm)
    x = at::batch_norm(x, norm_weight_, norm_bias_, running_mean_, running_var_, is_training(),
                       norm_momentum, norm_eps, /*cudnn_enabled=*/false);
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
  const auto features = backbone_->forward(images, context);
  if (!features.map.defined() || features.map.dim() != 4)
    throw Error(ExitCode::plugin, "the backbone returned no feature map [N, C, h, w]");
  if (head_) return head_->forward(features, context);
  return backbone_->published_logits(features, context).to(at::kFloat);
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
