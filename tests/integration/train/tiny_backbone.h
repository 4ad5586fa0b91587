// A network small enough to check by hand: one convolution, optionally a batch normalisation.
#pragma once

#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/conv.h>

#include <new>

#include "bcx/sdk/backbone.h"
#include "config/params.h"
#include "plugin/call_site.h"

namespace bcx::test {

class TinyBackbone : public sdk::Backbone {
 public:
  explicit TinyBackbone(bool batch_norm) {
    conv_ =
        register_module("conv", torch::nn::Conv2d(torch::nn::Conv2dOptions(3, 6, 3).padding(1)));
    if (batch_norm) norm_ = register_module("norm", torch::nn::BatchNorm2d(6));
  }
  sdk::Features forward(const at::Tensor& images, sdk::ModelContext& context) override {
    if (fits > 0 && images.size(0) > fits) throw std::bad_alloc();
    auto x = conv_->forward(images);
    if (norm_) x = norm_->forward(x);
    return {
        .map = sdk::dropout(x.relu(), drop, is_training(), context), .tokens = {}, .pooled = {}};
  }
  std::int64_t channels() const override { return 6; }
  std::int64_t smallest_size() const override { return 4; }

  double drop = 0.0;
  std::int64_t fits = 0;  ///< largest batch that there is memory for; 0: any

 private:
  torch::nn::Conv2d conv_{nullptr};
  torch::nn::BatchNorm2d norm_{nullptr};
};

inline plugin::CallSite site(config::ComponentKind kind, const char* name) {
  config::ComponentSpec spec;
  spec.kind = kind;
  spec.name = name;
  spec.version = "1.0.0";
  spec.file = "test.bcx.so";
  return plugin::CallSite(spec);
}

}  // namespace bcx::test
