// Densely connected networks (Huang, Liu, van der Maaten, Weinberger, CVPR 2017), as torchvision
// publishes them: a normalisation (norm5) and a relu follow the last block, and belong to the map.
#include <ATen/ATen.h>
#include <bcx/sdk/backbone.h>
#include <bcx/sdk/inference.h>
#include <bcx/sdk/nn.h>
#include <bcx/sdk/plugin.h>

#include "dense_block.h"
#include "fused_norm.h"

namespace densenet {
namespace {
namespace sdk = bcx::sdk;

/// One published network.
struct Layout {
  std::int64_t growth;
  std::array<std::int64_t, 4> layers;  ///< of each dense block
  std::int64_t stem;                   ///< channels of the first convolution
};

constexpr Layout kDenseNet121{32, {6, 12, 24, 16}, 64};
constexpr Layout kDenseNet161{48, {6, 12, 36, 24}, 96};
constexpr Layout kDenseNet169{32, {6, 12, 32, 32}, 64};
constexpr Layout kDenseNet201{32, {6, 12, 48, 32}, 64};

/// Normalisation and relu of a map, as one operation where that is wanted and possible.
at::Tensor norm_relu(const sdk::BatchNorm2d& norm, const Features& x, bool fused) {
  if (fused)
    if (auto y = fused_norm_relu(norm, x.map, x.statistics, /*pool=*/1); y.defined()) return y;
  return sdk::activate(norm.forward(x.map), sdk::Activation::relu);
}

/// Between two blocks: half the channels, half the height and width.
class Transition : public torch::nn::Module {
 public:
  Transition(std::int64_t channels, bool fused)
      : norm_(sdk::add<sdk::BatchNorm2d>(*this, "norm", channels)),
        conv_(sdk::add<sdk::Conv2d>(*this, "conv",
                                    sdk::Conv2dOptions{.in = channels, .out = channels / 2})),
        fused_(fused) {}

  at::Tensor forward(const Features& x) const {
    // A mean over pixels and a 1x1 convolution may change places: a quarter of the work.
    if (fused_)
      if (auto pooled = fused_norm_relu(*norm_, x.map, x.statistics, /*pool=*/2); pooled.defined())
        return conv_->forward(pooled);
    const auto y = conv_->forward(sdk::activate(norm_->forward(x.map), sdk::Activation::relu));
    return at::avg_pool2d(y, {2, 2}, {2, 2});
  }

 private:
  std::shared_ptr<sdk::BatchNorm2d> norm_;
  std::shared_ptr<sdk::Conv2d> conv_;
  bool fused_;
};

/// Everything but the classifier: torchvision's `features`.
class FeatureLayers : public torch::nn::Module {
 public:
  FeatureLayers(const Layout& layout, double drop_rate, bool fused)
      : stem_(*this, "conv0", "norm0", {.in = 3, .out = layout.stem, .kernel = 7, .stride = 2}),
        channels_(layout.stem),
        fused_(fused) {
    for (std::size_t i = 0; i < layout.layers.size(); ++i) add_block(layout, i, drop_rate);
    norm5_ = sdk::add<sdk::BatchNorm2d>(*this, "norm5", channels_);
  }

  at::Tensor forward(const at::Tensor& images, sdk::ModelContext& context) const {
    // Inside an InferenceScope the normalisation is part of the convolution.
    const bool folds = sdk::InferenceScope::current() && !stem_.norm->is_training();
    const auto stem = folds ? stem_.forward(images, sdk::Activation::relu)
                            : norm_relu(*stem_.norm, {stem_.conv->forward(images)}, fused_);
    Features x{at::max_pool2d(stem, {3, 3}, {2, 2}, {1, 1})};
    for (std::size_t i = 0; i < blocks_.size(); ++i) {
      if (i > 0) x = {transitions_[i - 1]->forward(x)};
      x = blocks_[i]->forward(x.map, context);
    }
    return norm_relu(*norm5_, x, fused_);
  }

  std::int64_t channels() const { return channels_; }

 private:
  void add_block(const Layout& layout, std::size_t index, double drop_rate) {
    const auto number = std::to_string(index + 1);
    const std::int64_t layers = layout.layers[index];
    blocks_.push_back(sdk::add<DenseBlock>(*this, "denseblock" + number,
                                           DenseBlockOptions{.layers = layers,
                                                             .channels = channels_,
                                                             .growth = layout.growth,
                                                             .drop_rate = drop_rate,
                                                             .fused = fused_}));
    channels_ += layers * layout.growth;
    if (index + 1 == layout.layers.size()) return;
    transitions_.push_back(sdk::add<Transition>(*this, "transition" + number, channels_, fused_));
    channels_ /= 2;
  }

  sdk::ConvNorm stem_;
  std::vector<std::shared_ptr<DenseBlock>> blocks_;
  std::vector<std::shared_ptr<Transition>> transitions_;
  std::shared_ptr<sdk::BatchNorm2d> norm5_;
  std::int64_t channels_;
  bool fused_;
};

class DenseNet : public sdk::Backbone {
 public:
  DenseNet(const Layout& layout, const sdk::Params& params)
      : features_(sdk::add<FeatureLayers>(*this, "features", layout,
                                          params.get<double>("drop_rate"),
                                          params.get<bool>("fused"))) {
    sdk::initialize_convolutions(*this, sdk::Fan::in);
  }

  sdk::Features forward(const at::Tensor& images, sdk::ModelContext& context) override {
    return {.map = features_->forward(images, context)};
  }

  std::int64_t channels() const override { return features_->channels(); }
  // 29 pixels are 15, 8, 4, 2 and 1 after the five halvings; the last three round down.
  std::int64_t smallest_size() const override { return 29; }

  void add_published_classifier() override {
    classifier_ = sdk::add<sdk::Linear>(*this, "classifier", channels(), sdk::kImageNetClasses);
    classifier_->bias.detach().zero_();
  }

  at::Tensor published_logits(const sdk::Features& features, sdk::ModelContext& context) override {
    if (!classifier_) return Backbone::published_logits(features, context);
    return classifier_->forward(sdk::global_average(features.map));
  }

 private:
  std::shared_ptr<FeatureLayers> features_;
  std::shared_ptr<sdk::Linear> classifier_;
};

}  // namespace
}  // namespace densenet

BCX_PLUGIN(bcx::sdk::backbone<densenet::DenseNet, densenet::kDenseNet121>("densenet121"),
           bcx::sdk::backbone<densenet::DenseNet, densenet::kDenseNet161>("densenet161"),
           bcx::sdk::backbone<densenet::DenseNet, densenet::kDenseNet169>("densenet169"),
           bcx::sdk::backbone<densenet::DenseNet, densenet::kDenseNet201>("densenet201"))
